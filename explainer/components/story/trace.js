// The trace of one picture as the server sent it, and what the screens read out of it.

const STORY_SCALE = "/scale"; // ends the name of the scales of a tensor that came in 127ths of them

/** Tensors by their names in the trace, as {shape, data}; those of a large model are read when asked for. */
class StoryTrace {
  constructor({ arrays, shapes }) {
    this.arrays = arrays;
    this.shapes = shapes;
    this.tensors = new Map();
  }

  has(name) {
    return name in this.arrays;
  }

  get(name) {
    if (!this.has(name)) return undefined;
    if (!this.tensors.has(name)) {
      const array = this.arrays[name];
      const scales = this.arrays[name + STORY_SCALE];
      const data = scales ? decoded(array, scales) : array;
      this.tensors.set(name, { shape: this.shapes[name] ?? [data.length], data });
    }
    return this.tensors.get(name);
  }
}

function decoded(steps, scales) {
  const width = steps.length / scales.length;
  return Float32Array.from(steps, (step, at) => ((step - 128) / 127) * scales[Math.floor(at / width)]);
}

/** One row of a matrix. */
function rowOf({ shape, data }, row) {
  const width = shape.at(-1);
  return data.subarray(row * width, (row + 1) * width);
}

/** How alike two rows are: the cosine of their angle, 1 where they point the same way. */
function likeness(one, other) {
  let [product, mine, theirs] = [0, 0, 0];
  for (let at = 0; at < one.length; at++) {
    product += one[at] * other[at];
    mine += one[at] * one[at];
    theirs += other[at] * other[at];
  }
  return mine && theirs ? product / Math.sqrt(mine * theirs) : 0;
}

/** The largest size of signed numbers. */
function largestSize(values) {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** The index of the largest value; ``except`` does not count. */
function largestOf(values, except = -1) {
  let best = -1;
  for (let at = 0; at < values.length; at++) {
    if (at !== except && (best < 0 || values[at] > values[best])) best = at;
  }
  return best;
}

/** The place of a value among all, from 1; ``except`` does not count. */
function placeOf(values, index, except = -1) {
  let place = 1;
  for (let at = 0; at < values.length; at++) place += at !== except && values[at] > values[index];
  return place;
}

/** A probability so that little changes show, also near 0 and 1; content/numbers.py writes it so, too. */
function precisePercent(share) {
  return `${(100 * share).toFixed(share >= 0.0005 && share <= 0.9995 ? 2 : 4)}\u202f%`;
}

/** A patch order that differs from the order of reading; ``random`` gives numbers below 1. */
function shuffledOrder(count, random = Math.random) {
  const order = Array.from({ length: count }, (_, patch) => patch);
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other], order[at]];
  }
  if (order.every((patch, at) => patch === at)) order.push(order.shift());
  return order;
}

/** Numbers below 1 that look random and are the same for the same name, which is written in hex. */
function drawnFor(name) {
  let state = parseInt(name.slice(0, 8), 16) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // a linear congruential generator
    return state / 2 ** 32;
  };
}

/** What a model makes of a picture: shares of its names, or features without a head. */
function outcomeOf(trace) {
  const logits = trace.get("logits");
  return logits ? softmaxOf(logits.data) : trace.get("pooled").data;
}

/** Whether two models know the same names. */
function sameNames(one, other) {
  return one.length === other.length && one.every((name, at) => name === other[at]);
}

const MOST_BARS = 12; // of names that are all shown; else the largest ten
const TOP_BARS = 10;

/** Which names get a bar: all of few, or those with the largest shares. */
function barsOf(shares) {
  const all = Array.from(shares, (_, index) => index);
  if (all.length <= MOST_BARS) return all;
  return all.sort((one, other) => shares[other] - shares[one]).slice(0, TOP_BARS);
}
