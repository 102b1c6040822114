// A text field whose choices the bot suggests while one types.
import { api, Refusal } from "./api.js";
import { calmed, fill, h, newId } from "./dom.js";
import { textField } from "./fields.js";
import { store } from "./store.js";
import { toast } from "./toasts.js";
import { capital } from "./act.js";

const CALM = 150;

/**
 * Return a field with autocomplete.
 * @param {string} command its words
 * @param {object} option of the command
 * @param {Function} others gives what the other options hold
 */
export function suggestField(command, option, others) {
  let chosen = null;
  let offered = [];
  let active = -1;
  let asked = 0;
  const list = h("ul", { role: "listbox", id: newId("suggested"), hidden: true, "aria-label": `Suggestions for ${option.name}` });
  const field = textField({ role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": list.id,
    placeholder: "Type to search" });
  const input = field.control;

  const hide = () => {
    asked += 1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };
  const take = (choice) => {
    chosen = choice;
    input.value = choice.name;
    hide();
  };
  const mark = (place) => {
    active = place;
    [...list.children].forEach((each, number) => {
      each.classList.toggle("active", number === place);
      if (number === place) input.setAttribute("aria-activedescendant", each.id);
    });
  };
  // Fixed, so that the scrolling card does not cut it off.
  const stand = () => {
    const box = input.getBoundingClientRect();
    list.style.left = `${box.left}px`;
    list.style.width = `${box.width}px`;
    list.style.bottom = `${innerHeight - box.top + 4}px`;
    list.style.maxHeight = `${Math.min(box.top - 12, 280)}px`;
  };
  const show = (choices) => {
    offered = choices;
    fill(list, choices.map((each, place) => h("li", { role: "option", id: `${list.id}-${place}`, "aria-selected": "false",
      on: { pointerdown: (event) => { event.preventDefault(); take(each); } } }, each.name)));
    if (!choices.length) list.append(h("li", { class: "nothing" }, "The bot suggests nothing for that."));
    list.hidden = false;
    stand();
    input.setAttribute("aria-expanded", "true");
    mark(choices.length ? 0 : -1);
  };
  const ask = async () => {
    asked += 1;
    const mine = asked;
    try {
      const outcome = await api.autocomplete(store.place, command, { ...(await others()), [option.name]: input.value }, option.name);
      if (mine === asked && input === document.activeElement) show(outcome.choices ?? []);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (mine === asked) toast(capital(error.message));
    }
  };
  const askCalmly = calmed(ask, CALM);
  input.addEventListener("input", () => { chosen = null; askCalmly(); });
  input.addEventListener("focus", () => { if (!chosen) ask(); });
  input.addEventListener("blur", hide);
  input.addEventListener("keydown", (event) => {
    if (list.hidden || !offered.length) {
      if (event.key === "Escape" && !list.hidden) { hide(); event.preventDefault(); event.stopPropagation(); }
      return;
    }
    if (event.key === "ArrowDown") mark((active + 1) % offered.length);
    else if (event.key === "ArrowUp") mark((active + offered.length - 1) % offered.length);
    else if (event.key === "Enter" || event.key === "Tab") take(offered[active]);
    else if (event.key === "Escape") hide();
    else return;
    if (event.key !== "Tab") { event.preventDefault(); event.stopPropagation(); }
  });
  const typed = () => (option.type === 3 ? input.value : Number(input.value));
  return { control: input, element: h("div", { class: "suggest" }, input, list),
    read: () => (input.value === "" ? undefined : chosen ? chosen.value : typed()) };
}
