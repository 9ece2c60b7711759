// The server's trace as Python packed it, and how far the browser's own pass is from it.

const AGREES = 1e-4; // of a number's size, at least of 1: single precision, summed in another order

/** The server's trace: matrices as levels of their full colour, attention in 255ths of each row's largest. */
function readTrace(data) {
  const trace = new Map();
  for (const [name, { shape, full }] of Object.entries(data.tensors)) {
    const packed = data.arrays[name];
    let values = packed;
    const scales = data.arrays[`${name}.scales`];
    if (scales) {
      const size = shape.at(-1);
      values = Float32Array.from(packed, (level, at) => (level / 255) * scales[Math.floor(at / size)]);
    } else if (full !== undefined) {
      values = Float32Array.from(packed, (level) => ((level - 127) / 127) * full);
    }
    trace.set(name, { shape, data: values, full, scales });
  }
  return trace;
}

/** One digit of a small number: 0.000002. */
function roughly(value) {
  if (!(value > 0) || value >= 1) return written(value);
  return value.toFixed(Math.min(12, Math.ceil(-Math.log10(value))));
}

/** The largest relative difference between a trace of the browser and one that the server sent. */
function furthest(mine, theirs) {
  let most = 0;
  for (const [name, { data: sent, full, scales, shape }] of theirs) {
    let own = mine.get(name);
    if (!own) return Infinity;
    if (scales) {
      own = { data: attentionOf(mine, Number(name.split(".")[1])).weights };
    }
    // of a wide matrix, every k-th number was sent; a level is half a step wide
    const wide = own.shape?.at(-1) ?? shape.at(-1);
    const [cells, stride] = [shape.at(-1), Math.ceil(wide / shape.at(-1))];
    const half = (row) => (scales ? scales[row] / 510 : (full ?? 0) / 254);
    for (let at = 0; at < sent.length; at++) {
      const row = Math.floor(at / cells);
      let value = own.data[row * wide + (at % cells) * stride];
      if (full !== undefined) value = Math.max(-full, Math.min(full, value));
      const beyond = Math.abs(value - sent[at]) - 1.01 * half(row);
      const relative = beyond / Math.max(1, Math.abs(value));
      if (!(relative <= most)) most = Number.isNaN(relative) ? Infinity : relative;
    }
  }
  return most;
}
