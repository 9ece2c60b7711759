// Prepares a drawing as explainer/inputs/pictures/prepare.py does, to the last grey level: what the
// model gets while the pen is down is what it will get from the server.

const DIGIT_SIDE = 28; // pixels of a picture
const DIGIT_BOX = 20; // pixels of the longer side of a digit in MNIST
const DIGIT_CENTRE = 14; // row and column of the centre of mass of a digit in MNIST
const GREY_STEP = 17; // between two of the 16 grey levels that a link can hold

/** White ink on black, ``side`` × ``side`` grey values → 28 × 28 of 16 levels, centred by its mass. */
function centred(ink, side) {
  const prepared = new Uint8Array(DIGIT_SIDE * DIGIT_SIDE);
  const found = cropped({ values: ink, width: side, height: side });
  if (!found) return prepared;
  const scale = DIGIT_BOX / Math.max(found.width, found.height);
  const small = resampled(
    found,
    Math.max(1, roundedEven(found.width * scale)),
    Math.max(1, roundedEven(found.height * scale)),
    scale < 1 ? BOX_FILTER : CUBIC_FILTER,
  );
  const brightest = small.values.reduce((most, value) => Math.max(most, value), 0);
  small.values = small.values.map(
    (value) => roundedEven(roundedEven(value * (255 / brightest)) / GREY_STEP) * GREY_STEP,
  );
  const digit = cropped(small);
  const masses = { rows: new Array(digit.height).fill(0), columns: new Array(digit.width).fill(0) };
  digit.values.forEach((value, at) => {
    masses.rows[Math.floor(at / digit.width)] += value;
    masses.columns[at % digit.width] += value;
  });
  const [top, left] = [startOf(masses.rows), startOf(masses.columns)];
  for (let row = 0; row < digit.height; row++) {
    const line = digit.values.subarray(row * digit.width, (row + 1) * digit.width);
    prepared.set(line, (top + row) * DIGIT_SIDE + left);
  }
  return prepared;
}

/** The part of a grey picture that has ink; null if it has none. */
function cropped({ values, width, height }) {
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let at = 0; at < values.length; at++) {
    if (!values[at]) continue;
    const [row, column] = [Math.floor(at / width), at % width];
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
    left = Math.min(left, column);
    right = Math.max(right, column);
  }
  if (bottom < 0) return null;
  const [wide, high] = [right - left + 1, bottom - top + 1];
  const part = new Uint8Array(wide * high);
  for (let row = 0; row < high; row++) {
    const from = (top + row) * width + left;
    part.set(values.subarray(from, from + wide), row * wide);
  }
  return { values: part, width: wide, height: high };
}

/** Where a digit starts whose rows (or columns) have these masses. */
function startOf(masses) {
  let [sum, moment] = [0, 0];
  masses.forEach((mass, at) => {
    sum += mass;
    moment += mass * at;
  });
  const start = roundedEven(DIGIT_CENTRE - moment / sum);
  return Math.max(0, Math.min(DIGIT_SIDE - masses.length, start));
}

/** To the nearest whole number; a half goes to the even one, as in Python. */
function roundedEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

const BOX_FILTER = { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };
const CUBIC_FILTER = {
  support: 2,
  weight: (x) => {
    const [a, size] = [-0.5, Math.abs(x)];
    if (size < 1) return ((a + 2) * size - (a + 3)) * size * size + 1;
    return size < 2 ? (((size - 5) * size + 8) * size - 4) * a : 0;
  },
};
const FIXED_BITS = 22; // of the weights, which Pillow keeps as whole numbers

/** A grey picture in another size, as Pillow resamples it: first along the rows, then the columns. */
function resampled({ values, width, height }, toWidth, toHeight, filter) {
  let out = values;
  if (toWidth !== width) {
    const weights = filterWeights(width, toWidth, filter);
    out = new Uint8Array(toWidth * height);
    for (let at = 0; at < out.length; at++) {
      const row = Math.floor(at / toWidth);
      out[at] = filtered(values, row * width, 1, weights[at % toWidth]);
    }
  }
  if (toHeight === height) return { values: out, width: toWidth, height };
  const weights = filterWeights(height, toHeight, filter);
  const down = new Uint8Array(toWidth * toHeight);
  for (let at = 0; at < down.length; at++) {
    down[at] = filtered(out, at % toWidth, toWidth, weights[Math.floor(at / toWidth)]);
  }
  return { values: down, width: toWidth, height: toHeight };
}

/** For each of ``to`` values: the first of ``from`` values that it depends on, and their weights. */
function filterWeights(from, to, filter) {
  const scale = from / to;
  const wide = Math.max(scale, 1);
  const support = filter.support * wide;
  return Array.from({ length: to }, (_, at) => {
    const centre = (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    const exact = [];
    for (let x = first; x < end; x++) exact.push(filter.weight((x - centre + 0.5) * (1 / wide)));
    const sum = exact.reduce((total, weight) => total + weight, 0);
    const fixed = exact.map((weight) => {
      const share = (weight / sum) * (1 << FIXED_BITS);
      return Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    });
    return { first, fixed };
  });
}

/** The weighted sum of values that lie ``step`` apart, from the line's ``start`` on. */
function filtered(values, start, step, { first, fixed }) {
  let sum = 1 << (FIXED_BITS - 1);
  fixed.forEach((weight, at) => (sum += weight * values[start + (first + at) * step]));
  return Math.max(0, Math.min(255, sum >> FIXED_BITS));
}
