// Colours of the theme for canvases, and the geometry that all drawings of a trace share.

/**
 * What drawings need of the theme; read anew whenever the theme changes.
 *
 * ``colours`` is what ``component_colours`` of Python gives. ``signed`` and ``weights`` are tables of
 * 256 colours (RGBA words), ``marks`` and the rest are CSS colours.
 */
function stageLook(element, colours) {
  const style = getComputedStyle(element);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const background = read("--st-background-color", "#ffffff");
  const isDark = luminance(background) < 0.4;
  const pick = (pair) => (pair.match(/#[0-9a-f]{6}/gi) ?? [pair]).at(isDark ? -1 : 0);
  const marks = {};
  for (const [name, pair] of Object.entries(colours.marks)) marks[name] = pick(pair);
  return {
    isDark,
    background,
    text: read("--st-text-color", isDark ? "#ffffff" : "#000000"),
    line: read("--st-border-color", "#888888"),
    muted: isDark ? "#a3a9b4" : "#5b6069",
    font: read("--st-font", "sans-serif"),
    marks,
    signed: colourTable((isDark && colours.diverging_dark) || colours.diverging),
    weights: colourTable(colours.sequential),
  };
}

/** How bright a CSS colour is, from 0 to 1. */
function luminance(colour) {
  const context = (luminance.context ??= document.createElement("canvas").getContext("2d"));
  context.fillStyle = "#ffffff";
  context.fillStyle = colour; // a canvas writes every colour as #rrggbb
  const [red, green, blue] = parseHex(context.fillStyle.slice(0, 7));
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}

/** A canvas that fills ``width`` × ``height`` CSS pixels sharply; its context draws in CSS pixels. */
function sharpen(canvas, width, height) {
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  const context = canvas.getContext("2d");
  context.setTransform(wide / width, 0, 0, high / height, 0, 0);
  return context;
}

/** A share of a way, slow at both ends. */
function eased(share) {
  const at = Math.max(0, Math.min(1, share));
  return at * at * (3 - 2 * at);
}

/** A line from left to right that leaves and arrives level. */
function levelCurve(context, [x0, y0], [x1, y1]) {
  const middle = (x0 + x1) / 2;
  context.moveTo(x0, y0);
  context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
}

/** A point of ``levelCurve``, ``share`` of the way. */
function onLevelCurve([x0, y0], [x1, y1], share) {
  const back = 1 - share;
  const middle = (x0 + x1) / 2;
  const weights = [back ** 3, 3 * back ** 2 * share, 3 * back * share ** 2, share ** 3];
  return [
    weights[0] * x0 + weights[1] * middle + weights[2] * middle + weights[3] * x1,
    (weights[0] + weights[1]) * y0 + (weights[2] + weights[3]) * y1,
  ];
}
