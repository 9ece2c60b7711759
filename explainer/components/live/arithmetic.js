// What the layers in vit.js consist of. A matrix lies in one Float32Array, row after row.

/** out = x Wᵀ + b: x is (rows, inner), W (outputs, inner).
 *
 * Both matrices are read along their rows. Two rows of x meet four of W at a time, so each number
 * that is fetched is used more than once. At an edge the last row is taken again in place of one that
 * does not exist; it gives the same number at the same place.
 */
function multiply(x, rows, inner, W, outputs, bias, out) {
  for (let o0 = 0; o0 < outputs; o0 += 4) {
    const last = outputs - 1;
    const [o1, o2, o3] = [Math.min(o0 + 1, last), Math.min(o0 + 2, last), Math.min(o0 + 3, last)];
    const [w0, w1, w2, w3] = [o0 * inner, o1 * inner, o2 * inner, o3 * inner];
    const b0 = bias ? bias[o0] : 0;
    const b1 = bias ? bias[o1] : 0;
    const b2 = bias ? bias[o2] : 0;
    const b3 = bias ? bias[o3] : 0;
    for (let row = 0; row < rows; row += 2) {
      const next = Math.min(row + 1, rows - 1);
      const [p, q] = [row * inner, next * inner];
      let p0 = b0, p1 = b1, p2 = b2, p3 = b3; // prettier-ignore
      let q0 = b0, q1 = b1, q2 = b2, q3 = b3; // prettier-ignore
      for (let at = 0; at < inner; at++) {
        const xp = x[p + at];
        const xq = x[q + at];
        const v0 = W[w0 + at];
        const v1 = W[w1 + at];
        const v2 = W[w2 + at];
        const v3 = W[w3 + at];
        p0 += xp * v0;
        p1 += xp * v1;
        p2 += xp * v2;
        p3 += xp * v3;
        q0 += xq * v0;
        q1 += xq * v1;
        q2 += xq * v2;
        q3 += xq * v3;
      }
      const [to, below] = [row * outputs, next * outputs];
      out[to + o0] = p0;
      out[to + o1] = p1;
      out[to + o2] = p2;
      out[to + o3] = p3;
      out[below + o0] = q0;
      out[below + o1] = q1;
      out[below + o2] = q2;
      out[below + o3] = q3;
    }
  }
  return out;
}

/** Softmax of each row of ``width`` numbers; each row of ``out`` sums to 1. */
function softmaxRows(scores, width, out) {
  for (let start = 0; start < scores.length; start += width) {
    let largest = -Infinity;
    let sum = 0;
    for (let at = start; at < start + width; at++) largest = Math.max(largest, scores[at]);
    for (let at = start; at < start + width; at++) sum += out[at] = Math.exp(scores[at] - largest);
    for (let at = start; at < start + width; at++) out[at] /= sum;
  }
}

const PHI_LIMIT = 8; // beyond ± 8, Φ is 0 or 1 to within 1e-15
const PHI_STEPS = 16_384;
const PHI = phiTable();

/** Φ(x) = (1 + erf(x / √2)) / 2 from -8 to 8: the area under the bell curve, by Simpson's rule. */
function phiTable() {
  const table = new Float64Array(PHI_STEPS + 2);
  const width = (2 * PHI_LIMIT) / PHI_STEPS;
  const bell = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  for (let step = 0; step <= PHI_STEPS; step++) {
    const x = -PHI_LIMIT + step * width;
    table[step + 1] = table[step] + (width / 6) * (bell(x) + 4 * bell(x + width / 2) + bell(x + width));
  }
  return table;
}

/** GELU, x Φ(x), between two neighbours of the table. */
function gelu(x, out) {
  const perUnit = PHI_STEPS / (2 * PHI_LIMIT);
  for (let index = 0; index < x.length; index++) {
    const value = x[index];
    if (value > -PHI_LIMIT && value < PHI_LIMIT) {
      const place = (value + PHI_LIMIT) * perUnit;
      const step = Math.floor(place);
      out[index] = value * (PHI[step] + (PHI[step + 1] - PHI[step]) * (place - step));
    } else {
      out[index] = value > 0 ? value : 0 * value;
    }
  }
  return out;
}

/** (N, …) with H · K numbers of a row from ``start`` on → (H, N, K). */
function perHead(room, x, start, width, N, H, K) {
  const out = room.take(H * N * K);
  for (let head = 0, to = 0; head < H; head++) {
    for (let token = 0, from = start + head * K; token < N; token++, to += K, from += width) {
      out.set(x.subarray(from, from + K), to);
    }
  }
  return out;
}

function transposed(x, rows, columns) {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = x[row * columns + column];
  }
  return out;
}

function add(room, a, b) {
  const out = room.take(a.length);
  for (let at = 0; at < out.length; at++) out[at] = a[at] + b[at];
  return out;
}

/** Memory for the tensors of one pass, in few large pieces, which a worker can hand over as a whole. */
class Room {
  take(length) {
    if (!this.piece || this.used + length > this.piece.length) {
      this.piece = new Float32Array(Math.max(length, 1 << 17));
      this.used = 0;
    }
    return this.piece.subarray(this.used, (this.used += length));
  }
}
