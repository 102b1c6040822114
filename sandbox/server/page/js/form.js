// A modal of the bot: labels and fields in a dialog.
import { act, capital } from "./act.js";
import { api, Refusal } from "./api.js";
import { optionsOf } from "./choices.js";
import { h } from "./dom.js";
import { fileField, groupField, pickField, textField, tickField } from "./fields.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { store } from "./store.js";

const ROW = 1, TEXT = 10, LABEL = 18;
const LONG = 2;

/** Open the modal of an outcome; what is sent goes to whoever opened it. */
export function openForm(outcome) {
  const place = { ...store.place };
  const fields = new Map();
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const send = h("button", { type: "submit", class: "button primary" }, "Submit");
  const form = h("form", { noValidate: true },
    outcome.modal.components.flatMap((part) => rows(part, fields)), problem,
    h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button secondary", on: { click: () => dialog.close() } }, "Cancel"), send));
  const dialog = h("dialog", { class: "form", "aria-label": outcome.modal.title, data: { form: outcome.modal.custom_id } },
    h("header", {}, h("h2", {}, outcome.modal.title), h("button", { type: "button", class: "plain", "aria-label": "Close", on: { click: () => dialog.close() } }, icon("close"))),
    form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const answer = await sent(place, outcome, fields, problem, send);
    if (!answer) return;
    dialog.close();
    act(Promise.resolve(answer));
  });
  // Enter sends from a single line, as people expect; it makes a new line in a long field.
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector("input, textarea, .select") ?? send).focus();
}

async function sent(place, outcome, fields, problem, send) {
  send.setAttribute("aria-busy", "true");
  try {
    const values = {};
    for (const [name, field] of fields) {
      const value = await field.read();
      if (value !== undefined) values[name] = value;
    }
    return await api.submit(place, outcome.interaction_id, values);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problem.textContent = capital(named(error.message, fields));
    problem.hidden = false;
    return null;
  } finally {
    send.removeAttribute("aria-busy");
  }
}

/** The sandbox names a field by its custom id; people know it by its label. */
function named(words, fields) {
  for (const [name, field] of fields) {
    if (words.startsWith(`field ${name} `)) return words.replace(`field ${name} `, `“${field.label}” `);
    if (words.startsWith(`${name} `)) return words.replace(`${name} `, `“${field.label}” `);
  }
  return words;
}

function rows(part, fields) {
  if (part.type === TEXT) return [h("div", { class: "words" }, markdown(part.content))];
  if (part.type === ROW) return part.components.map((each) => row(each.label ?? "", "", each, fields));
  if (part.type === LABEL) return [row(part.label, part.description, part.component, fields)];
  return [h("p", { class: "soft" }, `A part of type ${part.type}, which this page does not know.`)];
}

function row(label, description, part, fields) {
  const field = { ...fieldOf(part, label), label };
  fields.set(part.custom_id, field);
  const needed = part.required ?? part.type !== 23;
  field.control?.setAttribute("aria-required", String(needed));
  return h("div", { class: "field", data: { field: part.custom_id } },
    h("label", { htmlFor: field.control?.id ?? "" }, label, needed && h("span", { class: "needed", title: "required" }, " *")),
    description && h("small", { class: "hint" }, description), field.element);
}

function fieldOf(part, label) {
  const count = { min: part.required === false ? 0 : part.min_values ?? 1, max: part.max_values ?? 1 };
  switch (part.type) {
    case 4: {
      const field = textField({ value: part.value ?? "", placeholder: part.placeholder ?? "", maxLength: part.max_length ?? 4000 }, { long: part.style === LONG });
      return { ...field, read: () => field.control.value };
    }
    case 19: return fileField({ several: count.max > 1, required: part.required !== false });
    case 21: {
      const field = groupField(label, part.options, { single: true });
      return { ...field, read: () => field.read()[0] };
    }
    case 22: return groupField(label, part.options);
    case 23: return tickField(part.label ?? "Yes", Boolean(part.default));
    default: return pickField(label, optionsOf(part), { ...count, max: Math.min(count.max, part.options?.length ?? count.max), words: part.placeholder ?? "Pick one" });
  }
}
