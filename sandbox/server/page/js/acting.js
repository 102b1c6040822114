// Whom one acts as: any member of the guild.
import { people } from "./choices.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { face, topRole } from "./people.js";
import { pick } from "./picker.js";
import { store } from "./store.js";

class ActAs extends HTMLElement {
  connectedCallback() {
    store.follow(["sight", "place"], () => this.show());
  }

  show() {
    const { actor } = store;
    this.hidden = !actor;
    const state = JSON.stringify([actor, store.sight?.owner_id]);
    if (!actor || state === this.state) return;
    this.state = state;
    const role = actor.id === store.sight.owner_id ? "owner" : topRole(actor)?.name.toLowerCase();
    fill(this, h("button", { type: "button", class: "actor", "aria-haspopup": "listbox", data: { actor: actor.username },
      "aria-label": `You act as ${actor.display_name}. Act as somebody else`, on: { click: (event) => this.change(event.currentTarget) } },
    face(actor.id, actor.display_name), h("span", { class: "words" }, h("small", {}, "You act as"), h("strong", {}, actor.display_name),
      role && h("small", {}, role)), icon("down")));
  }

  async change(pressed) {
    const options = people((each) => !each.bot).map((each) => {
      const member = store.member(each.value);
      const role = member.id === store.sight.owner_id ? "owner" : topRole(member)?.name.toLowerCase() ?? "";
      return { ...each, description: [member.username, role].filter(Boolean).join(" · "), selected: each.value === store.place.actor };
    });
    const picked = await pick(pressed, "Act as", options);
    if (!picked?.length) return;
    await store.go({ actor: picked[0] });
    this.querySelector(".actor")?.focus();
  }
}

customElements.define("act-as", ActAs);
