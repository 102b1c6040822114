// One message: who, when, what, and what can be pressed on it.
import { act } from "./act.js";
import { api } from "./api.js";
import { attachment } from "./media.js";
import { embed } from "./embeds.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { more, toggleReaction } from "./message-menu.js";
import { parts } from "./parts.js";
import { botBadge, face, nameOf } from "./people.js";
import { store } from "./store.js";
import { day, full, hour } from "./times.js";

// What Discord writes itself, by the type of the message.
const ITSELF = { 6: "pinned a message.", 7: "joined the guild.", 18: "started a thread:", 46: "the poll has ended." };
const EPHEMERAL = 64, LOADING = 128, LAYOUT = 32768;

/** Return the element of a message; `first`: it is not a continuation of the same author's words. */
export function message(one, first) {
  const private_ = Boolean(one.flags & EPHEMERAL);
  const thinking = Boolean(one.flags & LOADING);
  const moment = new Date(one.timestamp);
  const article = h("article", { class: `message ${first ? "first" : ""} ${private_ ? "ephemeral" : ""}`, data: { message: one.id },
    "aria-label": `${nameOf(one.author)}, ${hour(moment)}` },
  first ? face(one.author.id, nameOf(one.author)) : h("time", { class: "aside", dateTime: one.timestamp, title: full(moment) }, hour(moment)),
  h("div", { class: "body" },
    first && origin(one),
    first && h("header", {},
      h("button", { type: "button", class: "author", data: { person: one.author.id } }, nameOf(one.author)),
      one.author.bot && botBadge(),
      h("time", { dateTime: one.timestamp, title: full(moment) }, `${sameDay(moment) ? "" : `${day(moment)}, `}${hour(moment)}`),
      edited(one), one.pinned && icon("pin", "Pinned")),
    thinking ? h("p", { class: "thinking" }, h("span", { class: "dots", "aria-hidden": "true" }), `${nameOf(one.author)} is thinking…`)
      : content(one, first),
    private_ && notice(one)),
  !thinking && more(one));
  return article;
}

function edited(one) {
  return one.edited_timestamp ? h("small", { class: "edited", title: full(new Date(one.edited_timestamp)) }, " (edited)") : "";
}

function content(one, first) {
  const words = h("div", { class: "words" }, markdown(one.content));
  if (!first) words.lastElementChild?.append(edited(one));
  return [
    ITSELF[one.type] && h("p", { class: "soft" }, ITSELF[one.type]),
    one.content && words,
    one.message_snapshots?.map(({ message: kept }) => h("blockquote", { class: "words forwarded" }, h("small", { class: "soft" }, "Forwarded"), markdown(kept.content), (kept.embeds ?? []).map(embed))),
    // A layout places its own files; the old kind lists them below the text.
    !(one.flags & LAYOUT) && one.attachments.filter((each) => !inEmbed(one, each)).map((each) => attachment(one.id, each)),
    one.embeds.map(embed),
    one.components.length > 0 && h("div", { class: "components" }, parts(one.components, one)),
    one.poll && h("p", { class: "soft" }, `Poll: ${one.poll.question?.text ?? ""}`),
    one.reactions?.length > 0 && h("div", { class: "reactions" },
      one.reactions.map((each) => h("button", { type: "button", class: "reaction", "aria-label": `${each.emoji.name}, ${each.count}: add or take back yours`,
        on: { click: () => toggleReaction(one, each) } }, each.emoji.id ? `:${each.emoji.name}:` : each.emoji.name, ` ${each.count}`))),
  ];
}

/** Whether a command is one on people or messages, which is not typed with a slash. */
const onThings = (name) => [...store.commands(2), ...store.commands(3)].some((each) => each.command === name);

/** A file that an embed shows is not shown once more. */
function inEmbed(one, file) {
  return one.embeds.some((each) => [each.image, each.thumbnail, each.video].some((media) => media?.url === file.url));
}

function origin(one) {
  if (one.interaction?.name) {
    return h("div", { class: "origin" }, face(one.interaction.user.id, nameOf(one.interaction.user), "tiny"),
      h("span", {}, nameOf(one.interaction.user), " used ", h("b", {}, onThings(one.interaction.name) ? one.interaction.name : `/${one.interaction.name}`)));
  }
  const source = one.referenced_message;
  if (!source) return null;
  return h("div", { class: "origin" }, h("span", {}, h("b", {}, nameOf(source.author)), ` ${source.content.slice(0, 90) || "…"}`));
}

function notice(one) {
  return h("div", { class: "only-you" }, icon("eye"), "Only you can see this · ",
    h("button", { type: "button", class: "linkish", on: { click: () => act(api.dismiss(store.place, one.id)) } }, "Dismiss"));
}

function sameDay(moment) {
  return store.now !== null && day(moment) === day(new Date(store.now));
}
