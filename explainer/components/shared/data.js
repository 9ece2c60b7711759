// Reading what Python packed, colours and words. Put before each component's own file (see assets.py).

/** Split the bytes of packing.py into header and typed arrays. */
function unpack(bytes) {
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const start = 4 + headerLength;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    const length = shape.reduce((product, size) => product * size, 1);
    const from = start + offset;
    // the bytes of a message rarely start at a multiple of four: floats need a copy of their own
    arrays[name] =
      dtype === "uint8"
        ? bytes.subarray(from, from + length)
        : new Float32Array(bytes.slice(from, from + 4 * length).buffer);
  }
  return { ...header, arrays };
}

/** "{row}" and the like in a text become the values. */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

function percent(weight) {
  if (weight > 0 && weight < 0.0005) return "< 0.1\u202f%";
  return `${(100 * weight).toFixed(weight < 0.0995 ? 1 : 0)}\u202f%`;
}

function make(tag, className, parent, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function parseHex(hex) {
  return [1, 3, 5].map((index) => parseInt(hex.slice(index, index + 2), 16));
}

/** Whether the page is in the dark theme. */
function isDark(element) {
  const background = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  if (!/^#[0-9a-f]{6}$/i.test(background)) return false;
  const [red, green, blue] = parseHex(background);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 100;
}

/** 256 colours between evenly spaced hex stops, as RGBA words for an ImageData's Uint32Array. */
function colourTable(stops, alphaAt = () => 1) {
  const table = new Uint8ClampedArray(256 * 4);
  const colours = stops.map(parseHex);
  for (let level = 0; level < 256; level++) {
    const position = (level / 255) * (colours.length - 1);
    const index = Math.min(Math.floor(position), colours.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      const [from, to] = [colours[index][channel], colours[index + 1][channel]];
      table[4 * level + channel] = from + (to - from) * (position - index);
    }
    table[4 * level + 3] = 255 * alphaAt(level / 255);
  }
  return new Uint32Array(table.buffer);
}

/** The stops of the map for signed numbers; near zero it is as dark or as light as the page. */
function signedStops(element, { diverging, diverging_dark }) {
  return isDark(element) ? diverging_dark : diverging;
}

/** The theme's colours by name, as CSS that follows light and dark by itself. */
function setMarks(root, { marks }) {
  for (const [name, colour] of Object.entries(marks)) root.style.setProperty(`--${name}`, colour);
}

/** Give a canvas ``width`` × ``height`` picture elements; the style sheet stretches it. */
function resize(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  return { context, picture: context.createImageData(width, height) };
}

/** Paint pixels of a (height, width, channels) uint8 image, from row ``top`` and column ``left`` on. */
function paintPixels(canvas, data, width = data.image_width, height = data.image_height, top = 0, left = 0) {
  const { context, picture } = resize(canvas, width, height);
  const { image_width: stride, channels } = data;
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += 4) {
      const from = ((top + row) * stride + left + column) * channels;
      for (let channel = 0; channel < 3; channel++) {
        picture.data[to + channel] = data.arrays.image[from + (channels === 3 ? channel : 0)];
      }
      picture.data[to + 3] = 255;
    }
  }
  context.putImageData(picture, 0, 0);
  // enlarged pixels are what a small image consists of; a photograph is smoothed
  canvas.classList.toggle("pixelated", data.image_width <= 96);
}

/** The choices that components of one page share: what is chosen, without the data it is chosen from. */
function channelOf(name) {
  const channels = (globalThis[Symbol.for("vit-explainer.channels")] ??= new Map());
  if (!channels.has(name)) {
    const listeners = new Set();
    const channel = {
      choice: null,
      listeners,
      set(choice) {
        channel.choice = choice;
        for (const listener of listeners) listener(choice);
      },
    };
    channels.set(name, channel);
  }
  return channels.get(name);
}
