// Something a person does, from the press to what the bot made of it.
import { Refusal } from "./api.js";
import { store } from "./store.js";
import { toast } from "./toasts.js";
import { openForm } from "./form.js";

/**
 * Wait for an act, show its outcome, and return it; null when it was refused.
 * @param {Promise} acting an answer of the control address
 * @param {Element|null} pressed what shows that it is busy
 */
export async function act(acting, pressed = null) {
  pressed?.setAttribute("aria-busy", "true");
  try {
    const outcome = await acting;
    if (outcome.kind === "modal") openForm(outcome);
    if (outcome.kind === "none") toast(silence());
    return outcome;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    toast(capital(error.message));
    return null;
  } finally {
    pressed?.removeAttribute("aria-busy");
  }
}

function silence() {
  return store.sight?.bot.connected
    ? "The bot did not answer within three seconds. The log shows what it did."
    : "No bot is connected, so nobody answered.";
}

/** Return a refusal as a sentence. */
export function capital(words) {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
