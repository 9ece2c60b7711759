// A part of a page as a PNG of twice its size, with the margin that the server's saved pictures have.
//
// The part is drawn by the browser itself: its copy, with the styles around it, is put into an SVG,
// and that is painted onto white paper. Canvases are copied as the images that they show.

const PAPER = { edge: 24, zoom: 2, title: 17, words: 11, step: 1.4 }; // CSS pixels, and per CSS pixel
const INK = { text: "#1c1f26", muted: "#5b6069", line: "#dedad0" };
const LIGHT = { // the theme's colours on paper, whatever those of the page are
  "--st-background-color": "#ffffff",
  "--st-secondary-background-color": "#f3f1eb",
  "--st-text-color": INK.text,
  "--st-border-color": INK.line,
  "--st-primary-color": "#3b43c4",
};
const LAID = [ // what a canvas's image takes over of its place
  "position", "inset", "display", "width", "height", "margin", "grid-area", "align-self", "justify-self",
  "border-radius", "box-shadow", "opacity", "transform", "image-rendering", "object-fit", "z-index",
];

/** A button that saves what ``take`` returns as ``{ blob, name }``. */
function saveButton(parent, texts, take) {
  const button = make("button", "save quiet", parent, texts.save);
  button.type = "button";
  button.addEventListener("click", async () => {
    if (button.disabled) return;
    button.disabled = true;
    setText(button, texts.working);
    let text = texts.save;
    try {
      const { blob, name } = await take();
      const link = make("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch {
      text = texts.cannot;
    }
    button.disabled = false;
    setText(button, text);
  });
  return button;
}

/** Colours for canvases on white paper, as ``stageLook`` gives those of the page. */
function paperLook(element, colours) {
  const look = stageLook(element, { ...colours, diverging_dark: null });
  const marks = {};
  for (const [name, pair] of Object.entries(colours.marks)) marks[name] = (pair.match(/#[0-9a-f]{6}/gi) ?? [pair])[0];
  return { ...look, isDark: false, background: "#ffffff", text: INK.text, line: INK.line, muted: INK.muted, marks };
}

/** The words of ``about`` with the link to what is looked at now, which a page of this computer has not. */
function savedLines({ model, picture, link, licence }) {
  const isHere = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"].includes(location.hostname);
  const address = isHere ? `${location.pathname}${location.search}` : location.href;
  return [model, picture, fill(link, { link: address }), licence].filter(Boolean);
}

/**
 * Take a picture of an element as a PNG.
 *
 * ``about``: ``title``, ``where`` and ``lines``. ``without``: a selector of what is left out.
 * ``painted``: canvas → another one that is copied in its place.
 */
async function savedPicture(element, about, { without = "", painted = new Map() } = {}) {
  const box = element.getBoundingClientRect();
  const [width, height] = [Math.ceil(box.width), Math.ceil(box.height)];
  // before anything is waited for: what is to be seen now
  const markup = markupOf(element, width, height, without, painted);
  const fonts = await fontFaces();
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(markup.replace("/*fonts*/", () => fonts))}`;
  await image.decode();
  const canvas = make("canvas");
  const context = canvas.getContext("2d");
  const { edge, zoom } = PAPER;
  const family = getComputedStyle(element).fontFamily;
  const room = width;
  const parts = [
    ...broken(context, about.title, room, `700 ${PAPER.title}px ${family}`).map((text) => [text, PAPER.title, INK.text, 700]),
    ...broken(context, about.where, room, `400 12px ${family}`).map((text) => [text, 12, INK.muted, 400]),
  ];
  const words = about.lines.flatMap((line) => broken(context, line, room, `400 ${PAPER.words}px ${family}`));
  const heightOf = (size) => Math.round(PAPER.step * size);
  const top = edge + parts.reduce((sum, [, size]) => sum + heightOf(size), 0) + 16;
  const below = top + height + 20;
  const total = below + 10 + words.length * (heightOf(PAPER.words) + 2) + edge - 4;
  canvas.width = zoom * (width + 2 * edge);
  canvas.height = zoom * total;
  context.scale(zoom, zoom);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width + 2 * edge, total);
  context.textBaseline = "middle";
  let y = edge;
  for (const [text, size, colour, weight] of parts) {
    context.font = `${weight} ${size}px ${family}`;
    context.fillStyle = colour;
    context.fillText(text, edge, y + heightOf(size) / 2);
    y += heightOf(size);
  }
  context.drawImage(image, edge, top, width, height);
  context.fillStyle = INK.line;
  context.fillRect(edge, below, width, 1);
  context.font = `400 ${PAPER.words}px ${family}`;
  context.fillStyle = INK.muted;
  words.forEach((text, at) => context.fillText(text, edge, below + 10 + (at + 0.5) * (heightOf(PAPER.words) + 2)));
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
}

/**
 * A text in lines of ``room`` CSS pixels; what has no spaces, such as a link, is cut.
 *
 * A number and its "%" have a space between them at which no line ends.
 */
function broken(context, text, room, font) {
  context.font = font;
  const fits = (line) => context.measureText(line).width <= room;
  const lines = [];
  let line = "";
  for (let word of (text ?? "").split(/[ \n\t]+/)) {
    if (fits(line ? `${line} ${word}` : word)) {
      line = line ? `${line} ${word}` : word;
      continue;
    }
    if (line) lines.push(line);
    while (!fits(word) && word.length > 1) {
      let end = 1;
      while (fits(word.slice(0, end + 1))) end++;
      lines.push(word.slice(0, end));
      word = word.slice(end);
    }
    line = word;
  }
  return line ? [...lines, line] : lines;
}

/** The element in an SVG, inside of copies of all that is around it in its shadow tree. */
function markupOf(element, width, height, without, painted) {
  const root = element.getRootNode();
  const styles = [...root.querySelectorAll("style")].map(({ textContent }) => textContent);
  for (const sheet of root.adoptedStyleSheets ?? []) styles.push([...sheet.cssRules].map(({ cssText }) => cssText).join("\n"));
  const css = styles.join("\n").replaceAll(":host", ".saved-host");
  // whatever is around it here lays out nothing
  const size = { width: `${width}px`, height: `${height}px`, margin: "0", minHeight: "0", maxWidth: "none", maxHeight: "none" };
  let inner = copyOf(element, without, painted);
  Object.assign(inner.style, size, { gridArea: "auto", position: "relative", inset: "auto", boxSizing: "border-box" });
  for (let around = element.parentElement; around; around = around.parentElement) {
    const shell = around.cloneNode(false);
    shell.append(inner);
    Object.assign(shell.style, size, { display: "block", padding: "0", position: "static", overflow: "visible" });
    inner = shell;
  }
  const host = make("div", "saved-host");
  const computed = getComputedStyle(root.host ?? element);
  for (const [, name] of css.matchAll(/var\((--st-[\w-]+)/g)) host.style.setProperty(name, LIGHT[name] ?? computed.getPropertyValue(name));
  for (const [name, colour] of Object.entries(LIGHT)) host.style.setProperty(name, colour);
  Object.assign(host.style, { colorScheme: "light", width: `${width}px`, height: `${height}px`, color: INK.text, fontFamily: computed.fontFamily });
  const sheet = make("style", "", host);
  sheet.textContent = `/*fonts*/\n${css}\n.saved-host *, .saved-host *::before, .saved-host *::after { animation: none !important; transition: none !important; }`;
  host.append(inner);
  const body = new XMLSerializer().serializeToString(host);
  const sides = `width="${width}" height="${height}"`;
  // at its full size at once: an image that is enlarged later would be blurred
  const zoomed = `width="${PAPER.zoom * width}" height="${PAPER.zoom * height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${zoomed}><foreignObject x="0" y="0" ${sides}>${body}</foreignObject></svg>`;
}

function copyOf(element, without, painted) {
  const copy = element.cloneNode(true);
  const [originals, copies] = [element, copy].map((one) => [...one.querySelectorAll("canvas")]);
  originals.forEach((canvas, at) => {
    const image = make("img", canvas.className);
    const source = painted.get(canvas) ?? canvas;
    if (source.width && source.height) image.src = source.toDataURL();
    const laid = getComputedStyle(canvas);
    for (const name of LAID) image.style.setProperty(name, laid.getPropertyValue(name));
    copies[at].replaceWith(image);
  });
  const [inputs, values] = [copy, element].map((one) => [...one.querySelectorAll("input")]);
  inputs.forEach((input, at) => input.setAttribute("value", values[at].value));
  if (without) for (const one of copy.querySelectorAll(without)) one.style.visibility = "hidden";
  return copy;
}

let faces; // the page's own typefaces, which an SVG cannot fetch

/** The @font-face rules of the page with their files in them. */
function fontFaces() {
  faces ??= Promise.all(
    [...document.styleSheets].flatMap(rulesOf).filter((rule) => rule instanceof CSSFontFaceRule).map(async (rule) => {
      const found = rule.style.getPropertyValue("src").match(/url\(["']?([^"')]+)["']?\)/);
      if (!found || found[1].startsWith("data:")) return rule.cssText;
      const address = new URL(found[1], rule.parentStyleSheet.href ?? document.baseURI);
      if (address.origin !== location.origin || !/hyperlegible-next.*normal/i.test(address.pathname)) return "";
      const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
      let text = "";
      for (const byte of bytes) text += String.fromCharCode(byte);
      return rule.cssText.replace(found[0], `url(data:font/woff2;base64,${btoa(text)})`);
    }),
  ).then((rules) => rules.join("\n"), () => "");
  return faces;
}

function rulesOf(sheet) {
  try {
    return [...sheet.cssRules];
  } catch {
    return []; // of another host
  }
}
