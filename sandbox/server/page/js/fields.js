// Fields that commands and forms share: each is an element, a way to read it, and a way to set it wrong.
import { packed } from "./api.js";
import { h, newId } from "./dom.js";
import { icon } from "./icons.js";
import { pick } from "./picker.js";

/** A field with one text control; `read` gives its text, or undefined when it is empty. */
export function textField(props, { long = false } = {}) {
  const control = h(long ? "textarea" : "input", { id: newId("field"), autocomplete: "off", rows: long ? 4 : undefined,
    type: long ? undefined : "text", ...props });
  return { control, element: control, read: () => (control.value === "" ? undefined : control.value) };
}

/** A field that opens a list; `read` gives the values picked. */
export function pickField(title, options, { min = 1, max = 1, words = "Pick one" } = {}) {
  let values = options.filter((each) => each.selected).map((each) => each.value);
  const shown = h("span", {});
  const control = h("button", { type: "button", class: "select", id: newId("field"), "aria-haspopup": "listbox" }, shown, icon("down"));
  const show = () => {
    shown.textContent = options.filter((each) => values.includes(each.value)).map((each) => each.label).join(", ") || words;
    shown.className = values.length ? "" : "soft";
  };
  control.addEventListener("click", async () => {
    const marked = options.map((each) => ({ ...each, selected: values.includes(each.value) }));
    values = (await pick(control, title, marked, { min, max })) ?? values;
    show();
  });
  show();
  return { control, element: control, read: () => values };
}

/** A field for files; `read` gives them packed for the control address. */
export function fileField({ several = false, required = false } = {}) {
  const control = h("input", { type: "file", id: newId("field"), multiple: several, "aria-required": String(required) });
  return { control, element: control, read: () => Promise.all([...control.files].map(packed)) };
}

/** A field of true or false as a tick. */
export function tickField(label, on = false) {
  const control = h("input", { type: "checkbox", id: newId("field"), checked: on });
  return { control, element: h("label", { class: "tickline" }, control, h("span", {}, label)), read: () => control.checked };
}

/** A group of ticks or of radio buttons; `read` gives the values that are on. */
export function groupField(title, options, { single = false } = {}) {
  const name = newId("group");
  const inputs = options.map((each) => h("input", { type: single ? "radio" : "checkbox", name, value: each.value, checked: Boolean(each.default) }));
  const element = h("div", { role: single ? "radiogroup" : "group", "aria-label": title, class: "group" },
    options.map((each, place) => h("label", { class: "tickline" }, inputs[place],
      h("span", { class: "words" }, h("span", {}, each.label), each.description && h("small", {}, each.description)))));
  return { control: inputs[0], element, read: () => inputs.filter((each) => each.checked).map((each) => each.value) };
}
