// The control address, the one thing this page speaks.
const ROOT = "/control";

/** Why something was not done, in the sandbox's words. */
export class Refusal extends Error {}

async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(ROOT + path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refusal("The sandbox does not answer. Is it still running?");
  }
  const told = await answer.json().catch(() => ({ error: `the sandbox answered ${answer.status}` }));
  if (!answer.ok) throw new Refusal(told.error);
  return told;
}

const get = (path) => call("GET", path);
const post = (path, body) => call("POST", path, body);
const member = (place) => `/guilds/${place.guild}/members/${place.actor}`;

export const api = {
  events: `${ROOT}/events`,
  control: new URL(ROOT, location.href).href,
  guilds: () => get("/guilds"),
  sight: (guild, actor) => get(`/guilds/${guild}/sight?as=${actor}`),
  messages: (channel, actor) => (channel === "direct" ? Promise.resolve([]) : get(`/channels/${channel}/messages?as=${actor}&limit=200`)),
  clock: () => get("/clock"),
  advance: (seconds) => post("/clock", { advance_seconds: seconds }),
  lines: (after) => get(`/log/lines?limit=1000${after < 0 ? "" : `&after=${after}`}`),
  entry: (number) => get(`/log/${number}`),
  voice: (guild, user, body) => post(`/guilds/${guild}/members/${user}/voice`, body),
  direct: (place, content) => post(`${member(place)}/direct`, { content }),
  silence: (place, user, flags) => post(`${member(place)}/silence`, { user_id: user, ...flags }),
  react: (place, message, emoji, remove) => post(`${member(place)}/react`, { message_id: message, emoji, remove }),
  pin: (place, message, pinned) => post(`${member(place)}/pin`, { message_id: message, pinned }),
  remove: (place, message) => post(`${member(place)}/delete`, { message_id: message }),
  dismiss: (place, message) => post(`${member(place)}/dismiss`, { message_id: message }),
  onMessage: (place, command, message) => post(`${member(place)}/context`, { command, message_id: message }),
  onUser: (place, command, user) => post(`${member(place)}/context`, { command, user_id: user, channel_id: place.channel }),
  say: (place, content) => post(`${member(place)}/messages`, { channel_id: place.channel, content }),
  slash: (place, command, options) =>
    post(`${member(place)}/slash`, { channel_id: place.channel, command, options }),
  autocomplete: (place, command, options, focused) =>
    post(`${member(place)}/autocomplete`, { channel_id: place.channel, command, options, focused }),
  click: (place, message, customId) =>
    post(`${member(place)}/click`, { message_id: message, custom_id: customId }),
  choose: (place, message, customId, values) =>
    post(`${member(place)}/choose`, { message_id: message, custom_id: customId, values }),
  submit: (place, interaction, values) =>
    post(`${member(place)}/submit`, { interaction_id: interaction, values }),
  file: (message, name) => `${ROOT}/messages/${message}/attachments/${encodeURIComponent(name)}`,
};

/** Return the address here of something stored by the sandbox, or null for what lies outside. */
export function here(url) {
  const path = URL.canParse(url) ? new URL(url).pathname : "";
  return /^\/(ephemeral-)?attachments\/\d+\/\d+\//.test(path) ? path : null;
}

/** Read a file that a person picked into what the control address takes. */
export async function packed(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let start = 0; start < bytes.length; start += 32768) {
    text += String.fromCharCode(...bytes.subarray(start, start + 32768));
  }
  return { filename: file.name, data: btoa(text) };
}
