// A command about to be run: its options as fields.
import { act } from "./act.js";
import { api } from "./api.js";
import { channels, people, roles } from "./choices.js";
import { h } from "./dom.js";
import { fileField, pickField, textField } from "./fields.js";
import { icon } from "./icons.js";
import { store } from "./store.js";
import { suggestField } from "./suggest.js";

// What discord.py writes where nobody described an option.
const NOTHING = "…";
const KINDS = { 3: "text", 4: "whole number", 5: "yes or no", 6: "member", 7: "channel", 8: "role", 9: "member or role", 10: "number", 11: "file" };

/**
 * Return the card of a command.
 * @param {object} command of the menu
 * @param {Function} close called when it was run or given up
 */
export function commandCard(command, close) {
  const fields = new Map();
  const values = async (but = null) => {
    const read = {};
    for (const [name, field] of fields) {
      const value = name === but ? undefined : await field.read();
      if (value !== undefined) read[name] = value;
    }
    return read;
  };
  const rows = command.options.map((option) => {
    const field = fieldOf(command.command, option, () => values(option.name));
    fields.set(option.name, field);
    return h("div", { class: "field", data: { option: option.name } },
      h("label", { htmlFor: field.control.id }, option.shown,
        h("span", { class: "soft" }, ` ${option.choices?.length ? "choice" : KINDS[option.type]}${option.required ? "" : ", optional"}`)),
      field.element, option.description !== NOTHING && h("small", { class: "hint" }, option.description));
  });
  const run = h("button", { type: "submit", class: "button primary" }, icon("send"), "Run");
  const card = h("form", { class: "command-card", "aria-label": `/${command.shown}`, on: {
    submit: async (event) => {
      event.preventDefault();
      const outcome = await act(values().then((options) => api.slash(store.place, command.command, options)), run);
      if (outcome) close();
    },
    keydown: (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      close();
    },
  } },
  h("div", { class: "command-head" }, h("strong", {}, `/${command.shown}`), h("span", { class: "soft" }, command.description),
    h("button", { type: "button", class: "plain", "aria-label": "Close the command", on: { click: close } }, icon("close"))),
  rows.length > 0 && h("div", { class: "command-fields" }, rows),
  h("div", { class: "command-foot" }, h("span", { class: "soft" }, rows.length ? "Enter runs it, Escape closes it." : "This one takes nothing more."), run));
  card.start = () => (command.options.find((each) => each.required) ? fields.get(command.options.find((each) => each.required).name).control : run).focus();
  return card;
}

function fieldOf(command, option, others) {
  if (option.autocomplete) return suggestField(command, option, others);
  if (option.choices?.length) return single(option, option.choices.map((each) => ({ value: each.value, label: each.shown })));
  switch (option.type) {
    case 4: case 10: return numberField(option);
    case 5: return single(option, [{ value: true, label: "Yes" }, { value: false, label: "No" }]);
    case 6: return single(option, people());
    case 7: return single(option, channels(option.channel_types));
    case 8: return single(option, roles());
    case 9: return single(option, [...people(), ...roles()]);
    case 11: return oneFile(option);
    default: return textField({ minLength: option.min_length ?? undefined, maxLength: option.max_length ?? undefined, required: Boolean(option.required) });
  }
}

function single(option, options) {
  const field = pickField(option.shown, options, { min: option.required ? 1 : 0 });
  return { ...field, read: () => field.read()[0] };
}

function numberField(option) {
  const field = textField({ type: "number", inputMode: "decimal", step: option.type === 4 ? "1" : "any", min: option.min_value ?? "",
    max: option.max_value ?? "", required: Boolean(option.required) });
  return { ...field, read: () => (field.control.value === "" ? undefined : field.control.valueAsNumber) };
}

function oneFile(option) {
  const field = fileField({ required: option.required });
  return { ...field, read: async () => (await field.read())[0] };
}
