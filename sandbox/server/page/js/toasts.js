// Short words at the edge of the page: what was refused, and why.
import { h } from "./dom.js";
import { icon } from "./icons.js";

const STAYS = 9000;

/** Say something; `kind` is "bad" or "good". */
export function toast(words, kind = "bad") {
  const close = h("button", { type: "button", class: "plain", "aria-label": "Close this notice" }, icon("close"));
  const shown = h("div", { class: `toast ${kind}` }, h("p", {}, words), close);
  const gone = () => shown.remove();
  close.addEventListener("click", gone);
  document.querySelector("toast-list").append(shown);
  setTimeout(gone, STAYS);
}
