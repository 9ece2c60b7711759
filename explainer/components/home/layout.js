// Where everything of Home's picture stands: from the image's patches to the answer, left to right.

const TALLEST_ROW = 22; // CSS pixels of a token's row, where a model has few

/**
 * Measure the elements, and divide the room of the stages; all in CSS pixels from the root's corner.
 *
 * ``tokens``: how many the model has, ``positions``: how many of them carry a position.
 */
function homeLayout({ root, stages, labels, frame, bars, data }) {
  const origin = root.getBoundingClientRect();
  const relative = (element) => {
    const box = element.getBoundingClientRect();
    return { x: box.x - origin.x, y: box.y - origin.y, width: box.width, height: box.height };
  };
  const room = relative(stages);
  const inner = { x: room.x, y: room.y + 8, width: room.width, height: relative(labels).y - room.y - 16 };
  const { depth, tokens, has_position: hasPosition } = data;
  const within = (low, value, high) => Math.max(low, Math.min(high, value));
  const W = inner.width;

  const aspect = data.image_width / data.image_height;
  const patchWidth = Math.min(0.27 * W, inner.height * aspect);
  const patches = centredBox(inner, inner.x, patchWidth, patchWidth / aspect);
  const high = Math.min(inner.height, tokens * TALLEST_ROW);
  const strip = (x, width) => centredBox(inner, x, width, high);

  const wide = within(14, 0.055 * W, 60);
  const sign = within(11, 0.024 * W, 26); // room for + and =
  let x = patches.x + patches.width + within(18, 0.06 * W, 70);
  const rows = strip(x, wide);
  x += wide;
  let position = null;
  let embed = rows;
  if (hasPosition) {
    position = strip(x + sign, wide);
    embed = strip(x + 2 * sign + wide, wide);
    x = embed.x + wide;
  }
  const pooledWide = within(20, 0.06 * W, 64);
  const pooledGap = within(14, 0.035 * W, 44);
  const isBeside = relative(bars).x >= inner.x + W - 1; // so that lines lead from the last row to them
  const end = inner.x + W - (isBeside ? within(6, 0.05 * W, 48) : 4) - pooledWide;
  const each = (end - pooledGap - x) / depth;
  const column = Math.min(wide, 0.34 * each);
  const blocks = Array.from({ length: depth }, (_, block) => strip(x + (block + 1) * each - column, column));
  const pooled = centredBox(inner, end, pooledWide, within(10, (2 * high) / tokens, 26));
  const fan = Array.from(bars.querySelectorAll(".bar"), relative);
  return {
    origin,
    width: origin.width,
    height: origin.height,
    frame: relative(frame),
    inner,
    patches,
    rows,
    position,
    embed,
    blocks,
    pooled,
    bars: relative(bars),
    fan: fan.length && fan[0].x >= end + pooledWide - 1 ? fan : [],
  };
}

/** A box that stands in the middle of another's height. */
function centredBox(inner, x, width, height) {
  return { x, y: inner.y + (inner.height - height) / 2, width, height };
}

/** Which token a point shows; null where none is. */
function tokenAt(layout, data, x, y) {
  const { patches, rows, position, embed, blocks, pooled } = layout;
  const prefix = data.prefix_names.length;
  if (isIn(patches, x, y)) {
    const column = Math.floor(((x - patches.x) / patches.width) * data.columns);
    const row = Math.floor(((y - patches.y) / patches.height) * data.rows);
    return prefix + row * data.columns + column;
  }
  if ((position && x < embed.x - 4 && x >= rows.x && isIn({ ...rows, width: embed.x - rows.x }, x, y))) {
    const row = rowAt(rows, y, data.positions);
    return row === null ? null : tokenOfPosition(data, row);
  }
  const end = blocks.length ? blocks.at(-1).x + blocks.at(-1).width : pooled.x;
  if (isIn({ ...embed, width: end - embed.x }, x, y)) return rowAt(embed, y, data.tokens);
  return null;
}

function isIn(box, x, y) {
  return x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
}

/** Registers have no position: the token of a row of positions, and back (null for a register). */
function tokenOfPosition(data, row) {
  const first = data.positions - data.rows * data.columns;
  return row < first ? row : row + data.tokens - data.positions;
}

function positionOfToken(data, token) {
  const first = data.positions - data.rows * data.columns;
  if (token < first) return token;
  const row = token - (data.tokens - data.positions);
  return row < first ? null : row;
}

/** Put each label below what it names, and none over its neighbour. */
function placeLabels(labelled, layout, stagesBox) {
  const gap = 10;
  const placed = labelled.map(({ place, element }) => {
    const [from, to] = labelRange(layout, place);
    const width = element.offsetWidth;
    return { element, width, middle: (from + to) / 2, left: (from + to - width) / 2 };
  });
  placed.sort((one, other) => one.middle - other.middle);
  let end = 0;
  for (const label of placed) {
    label.left = Math.max(label.left, end);
    end = label.left + label.width + gap;
  }
  let start = layout.width;
  for (const label of placed.toReversed()) {
    label.left = Math.min(label.left, start - label.width);
    start = label.left - gap;
  }
  for (const { element, left } of placed) element.style.left = `${left - stagesBox.x}px`;
}

/** From where to where a label may lie, by the name of its place. */
function labelRange(layout, place) {
  const { patches, rows, position, embed, blocks, pooled, bars } = layout;
  const of = (box) => [box.x, box.x + box.width];
  if (place === "patches") return of(patches);
  if (place === "rows") return of(rows);
  if (place === "position") return [(position ?? embed).x, embed.x + embed.width];
  if (place === "pooled") return of(pooled);
  if (place === "answer") return of(bars);
  const [start, end] = [embed.x + embed.width + 8, blocks.at(-1).x + blocks.at(-1).width];
  const third = (end - start) / 3;
  const at = start + third * place;
  return [at, at + third];
}
