// Who looks at whom, as lines between two columns of tokens: from each key to the query that takes
// from it. A line is as thick as the weight is large.

const attentionCache = new WeakMap();

/** The attention of a block, the mean of its heads: {size: N, weights: (N, N), rows are queries}. */
function attentionOf(trace, block) {
  const tensor = trace.get(`blocks.${block}.attn.pattern`);
  let attention = attentionCache.get(tensor);
  if (!attention) {
    const [heads, size] = tensor.shape;
    const weights = new Float32Array(size * size);
    for (let head = 0; head < heads; head++) {
      const from = head * size * size;
      for (let at = 0; at < weights.length; at++) weights[at] += tensor.data[from + at] / heads;
    }
    attentionCache.set(tensor, (attention = { size, weights, heads }));
  }
  return attention;
}

/** The pairs of tokens with the largest weights, at most ``most``: [query, key, weight] each. */
function strongest(attention, most) {
  if (attention.strongest?.most === most) return attention.strongest.pairs;
  const { size, weights } = attention;
  // of evenly spread weights none stands out
  const least = 2 / size;
  const pairs = [];
  for (let at = 0; at < weights.length; at++) {
    if (weights[at] > least) pairs.push([Math.floor(at / size), at % size, weights[at]]);
  }
  pairs.sort((one, other) => other[2] - one[2]);
  pairs.length = Math.min(pairs.length, most);
  attention.strongest = { most, pairs };
  return pairs;
}

/**
 * Draw the strongest lines of a block, faintly: from the rows of ``left`` to those of ``right``.
 *
 * ``share`` is how much of each line is drawn, from its key on.
 */
function drawAllAttention(context, left, right, attention, { colour, most = 150, share = 1, alpha = 0.5 }) {
  const { size } = attention;
  const [x0, x1] = [left.x + left.width + 2, right.x - 2];
  context.strokeStyle = colour;
  for (const [query, key, weight] of strongest(attention, most)) {
    context.globalAlpha = alpha * Math.min(1, 0.06 + 2 * weight);
    context.lineWidth = 0.5 + 3 * weight;
    attentionLine(context, [x0, rowMiddle(left, key, size)], [x1, rowMiddle(right, query, size)], share);
  }
  context.globalAlpha = 1;
}

/** Draw where one token looks: a line to each token of ``left``, as thick as its weight. */
function drawAttention(context, left, right, attention, token, { colour, share = 1, thickest = 12 }) {
  const { size, weights } = attention;
  const [x0, x1] = [left.x + left.width + 2, right.x - 2];
  context.strokeStyle = colour;
  const to = [x1, rowMiddle(right, token, size)];
  for (let key = 0; key < size; key++) {
    const weight = weights[token * size + key];
    const width = thickest * weight;
    if (width < 0.02) continue;
    context.globalAlpha = Math.min(0.9, 0.25 + 2 * weight);
    context.lineWidth = Math.max(0.35, width);
    attentionLine(context, [x0, rowMiddle(left, key, size)], to, share);
  }
  context.globalAlpha = 1;
}

function attentionLine(context, from, to, share) {
  if (share <= 0) return;
  context.beginPath();
  if (share >= 1) {
    levelCurve(context, from, to);
  } else {
    context.moveTo(...from);
    for (let step = 1; step <= 12; step++) context.lineTo(...onLevelCurve(from, to, (share * step) / 12));
  }
  context.stroke();
}
