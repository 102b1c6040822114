// What of the page cannot be read (less than 4.5:1) or has no name for a screen reader, as a list of words.
const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function parse(css) {
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = css;
  brush.fillRect(0, 0, 1, 1);
  return [...brush.getImageData(0, 0, 1, 1).data];
}
const over = (top, under) => top.slice(0, 3).map((v, i) => (v * top[3]) / 255 + under[i] * (1 - top[3] / 255));
function ground(element) {
  const layers = [];
  for (let each = element; each; each = each.parentElement) layers.push(parse(getComputedStyle(each).backgroundColor));
  return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
}
const straight = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * straight(r) + 0.7152 * straight(g) + 0.0722 * straight(b);
const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

const pale = [];
for (const each of document.querySelectorAll("body *")) {
  const words = [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  if (!words || !seen(each) || each.closest(":disabled, .spoiler, .unseen, .skip")) continue;
  const under = ground(each);
  const [a, b] = [light(over(parse(getComputedStyle(each).color), under)), light(under)];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) pale.push(`${each.tagName}.${each.className} ${each.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
}
const controls = "button, input, textarea, select, a[href], [role=dialog], dialog";
const unnamed = [...document.querySelectorAll(controls)].filter(
  (each) => seen(each) && !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length));
return [...new Set(pale), ...unnamed.map((each) => `no name: ${each.outerHTML.slice(0, 90)}`)];
