// A matrix of tokens: one row for each token, one cell for each number, or for every k-th of many.

const MOST_CELLS = 64; // of a row; no eye tells more apart in a narrow strip
const FULL_AT = 3; // times the root mean square, from where a value has the full colour

/** A matrix (N, D) of signed numbers, painted once and drawn at any size. */
class StageRows {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.rows = 0;
  }

  /** Paint a tensor; a vector is one row. ``full``: the size that has the full colour, if it is known. */
  set({ shape, data, full = fullAt(data) }, look) {
    const [count, width] = shape.length === 1 ? [1, shape[0]] : shape.slice(-2);
    const stride = Math.ceil(width / MOST_CELLS);
    const cells = Math.ceil(width / stride);
    const { context, picture } = resize(this.canvas, cells, count);
    const words = new Uint32Array(picture.data.buffer);
  const scale = 127.5 / (full || 1);
    for (let row = 0, to = 0; row < count; row++) {
      for (let cell = 0; cell < cells; cell++, to++) {
        const level = Math.round(127.5 + scale * data[row * width + cell * stride]);
        words[to] = look.signed[Math.max(0, Math.min(255, level))];
      }
    }
    context.putImageData(picture, 0, 0);
    Object.assign(this, { rows: count, cells, stride });
    return this;
  }
}

/** The size from which a value of a matrix has the full colour: its largest, or less if that is rare. */
function fullAt(data) {
  let [largest, squares] = [0, 0];
  for (const value of data) {
    largest = Math.max(largest, Math.abs(value));
    squares += value * value;
  }
  return Math.min(largest, FULL_AT * Math.sqrt(squares / data.length));
}

/** Where row ``index`` of ``count`` lies in a box. */
function rowBox(box, index, count) {
  const height = box.height / count;
  return { x: box.x, y: box.y + index * height, width: box.width, height };
}

function rowMiddle(box, index, count) {
  return box.y + (box.height * (index + 0.5)) / count;
}

/** Which row of ``count`` lies at a height; null outside the box. */
function rowAt(box, y, count) {
  const index = Math.floor(((y - box.y) / box.height) * count);
  return index >= 0 && index < count ? index : null;
}

/** Draw a matrix into a box; ``shares`` says how visible each row is. */
function drawRows(context, box, matrix, { shares } = {}) {
  context.imageSmoothingEnabled = false;
  const { canvas, rows, cells } = matrix;
  if (!shares) {
    context.drawImage(canvas, box.x, box.y, box.width, box.height);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const share = shares(row);
    if (share <= 0) continue;
    const at = rowBox(box, row, rows);
    context.globalAlpha = share;
    context.drawImage(canvas, 0, row, cells, 1, at.x, at.y, at.width, at.height);
  }
  context.globalAlpha = 1;
}

/** Frame one row of a matrix. */
function markRow(context, box, index, count, colour) {
  const at = rowBox(box, index, count);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  const grow = at.height < 4 ? 2 : 1;
  context.strokeRect(at.x - 2, at.y - grow, at.width + 4, at.height + 2 * grow);
}
