// Server-sent events: what to look at again. The browser reconnects; after each gap everything is fetched anew.
import { api } from "./api.js";
import { store } from "./store.js";
import { toast } from "./toasts.js";

const AGAIN_AFTER = 1000;

export function watch() {
  const source = new EventSource(api.events);
  source.onopen = () => {
    store.live = true;
    store.tell("live");
    store.refresh().catch((error) => toast(error.message, "bad"));
  };
  source.onmessage = (event) => {
    store.heard(JSON.parse(event.data)).catch(() => store.refresh().catch((error) => toast(error.message, "bad")));
  };
  source.onerror = () => {
    store.live = false;
    store.tell("live");
    if (source.readyState === EventSource.CLOSED) setTimeout(watch, AGAIN_AFTER);
  };
}
