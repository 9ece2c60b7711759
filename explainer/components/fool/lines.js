// Two or three short lines: what was changed, what the model makes of it, and where it looks.

/** What is changed, as the name of a text: one kind of change, all kinds at once, or nothing. */
function kindOfChange({ headsOff, cover, swaps, move: [right, down], turn, noPosition }) {
  const counts = {
    patches: Object.keys(cover).length,
    heads: headsOff.length,
    position: Number(noPosition),
    swaps: swaps.length,
    move: Number(Boolean(right || down)),
    turn: Number(turn !== 0),
  };
  const kinds = Object.keys(counts).filter((kind) => counts[kind]);
  if (!kinds.length) return { name: "nothing", count: 0 };
  if (kinds.length > 1) return { name: "all", count: kinds.length };
  return { name: kinds[0], count: counts[kinds[0]] };
}

/** A text for one, or for several. */
function counted(texts, name, count) {
  return (count === 1 && texts[`${name}_one`]) || texts[name];
}

/** The lines about an outcome; ``names`` are strangers' words. */
function foolLines(texts, { edits, before, now, names, hasHead, looks, looksBefore, pool, patchName }) {
  const { name, count } = kindOfChange(edits);
  const lines = [];
  if (!hasHead) {
    const values = { count, likeness: likeness(before, now).toFixed(4), degrees: edits.turn };
    lines.push(fill(counted(texts.lines_features, name, count), values));
  } else {
    const [old, answer] = [largestOf(before), largestOf(now)];
    const values = { count, answer: names[answer], share: precisePercent(now[answer]), degrees: edits.turn };
    lines.push(fill(counted(texts.lines, name, count), values));
    if (name !== "nothing") {
      const text = answer === old ? texts.lines.same : texts.lines.other;
      lines.push(fill(text, { old: names[old], before: precisePercent(before[old]), now: precisePercent(now[old]) }));
    }
  }
  if (looks && looks.length > 1) {
    const [most, mostBefore] = [largestOf(looks), largestOf(looksBefore)];
    const kind = `look${pool === "cls" ? "" : "_mean"}${most === mostBefore ? "" : "_before"}`;
    lines.push(fill(texts.lines[kind], { patch: patchName(most), before: patchName(mostBefore) }));
  }
  return lines;
}
