// When a challenge is reached; every number comes from a pass.

/**
 * How a challenge stands: {count, isReached, answer}. ``count`` is what a visitor plays for.
 *
 * ``before`` and ``now`` are outcomes (shares or features), ``target`` a class. For the one head,
 * ``best`` is the [block, head] that a search found, or null while it has not answered.
 */
function standing(name, { edits, before, now, target, P, best = null }) {
  if (name === "head") {
    const [one, ...others] = edits.headsOff;
    const isBest = Boolean(one && best && !others.length && one[0] === best[0] && one[1] === best[1]);
    return { count: edits.headsOff.length, isReached: isBest, answer: -1 };
  }
  const covered = Object.keys(edits.cover).length;
  const answer = largestOf(now);
  if (name === "few") return { count: covered, isReached: answer !== largestOf(before), answer };
  if (name === "target") return { count: covered, isReached: answer === target, answer };
  return { count: P - covered, isReached: answer === largestOf(before), answer };
}

/** The edits with which a computed solution is shown. */
function solutionEdits(name, { patches, head }, { P, way }) {
  if (name === "head") return { ...NO_EDITS, headsOff: [head] };
  const isShown = new Set(patches);
  const all = Array.from({ length: P }, (_, patch) => patch);
  const covered = name === "keep" ? all.filter((patch) => !isShown.has(patch)) : patches;
  return { ...NO_EDITS, cover: Object.fromEntries(covered.map((patch) => [patch, way])) };
}

/** Edits with a patch covered so, or uncovered (``how`` null); at least one token stays. */
function withCover(edits, patch, how, P) {
  const cover = { ...edits.cover };
  if (how) cover[patch] = how;
  else delete cover[patch];
  const dropped = Object.values(cover).filter((one) => one === "drop").length;
  return dropped === P ? edits : { ...edits, cover };
}

/** Edits with the patches of two places swapped; swapped back, both are forgotten. */
function withSwap(edits, one, other, P) {
  if (one === other) return edits;
  return { ...edits, swaps: swapsFor(orderAfter([...edits.swaps, [one, other]], P)) };
}

function withHead(edits, block, head) {
  const others = edits.headsOff.filter(([b, h]) => b !== block || h !== head);
  const headsOff = others.length < edits.headsOff.length ? others : sortedHeads([...others, [block, head]]);
  return { ...edits, headsOff };
}

/** Edits with the picture moved; it never leaves its frame altogether. */
function withMove(edits, right, down, { width, height }) {
  const within = (shift, size) => Math.max(1 - size, Math.min(size - 1, shift));
  return { ...edits, move: [within(right, width), within(down, height)] };
}

/** Where the tokens look in the last block: a weight for each place that is left, others null. */
function looksOf(trace, { depth, pool, P, prefix, kept }) {
  const pattern = trace.get(`blocks.${depth - 1}.attn.pattern`);
  if (!pattern) return null;
  const [heads, size] = pattern.shape;
  const sums = new Float64Array(size);
  const [first, last] = pool === "cls" ? [0, 1] : [prefix, size];
  for (let head = 0; head < heads; head++) {
    for (let row = first; row < last; row++) {
      const from = (head * size + row) * size;
      for (let key = 0; key < size; key++) sums[key] += pattern.data[from + key];
    }
  }
  const looks = new Array(P).fill(null);
  kept.forEach((place, at) => (looks[place] = sums[prefix + at] / heads / (last - first)));
  return looks;
}
