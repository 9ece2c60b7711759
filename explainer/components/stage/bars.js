// Probabilities as bars: elements, not canvas, so that names are text that can be read and copied.

/** Bars of named classes. ``names`` are strangers' words: they become text, never markup. */
class StageBars {
  constructor(parent) {
    this.list = make("ol", "bars", parent);
    this.rows = [];
  }

  /**
   * Show probabilities, one for each name; the largest stands out.
   *
   * ``truth`` is the index of the true class, -1 for none; ``grown`` is the share of its length that
   * each bar has.
   */
  show(names, probabilities, { truth = -1, grown = 1 } = {}) {
    if (this.rows.length !== names.length) {
      this.rows = names.map(() => {
        const row = make("li", "bar");
        const name = make("span", "name", row);
        const fill = make("span", "fill", make("span", "track", row));
        return { row, name, fill, value: make("span", "value", row) };
      });
      this.list.replaceChildren(...this.rows.map(({ row }) => row));
      this.list.classList.toggle("named", names.some((name) => name.length > 2));
    }
    let best = 0;
    for (let index = 1; index < names.length; index++) {
      if (probabilities[index] > probabilities[best]) best = index;
    }
    this.rows.forEach(({ row, name, fill, value }, index) => {
      setText(name, names[index]);
      if (name.title !== names[index]) name.title = names[index];
      fill.style.transform = `scaleX(${(grown * probabilities[index]).toFixed(4)})`;
      setText(value, grown < 0.05 ? "" : percent(grown * probabilities[index]));
      row.classList.toggle("best", grown > 0.5 && index === best);
      row.classList.toggle("truth", index === truth);
    });
    return best;
  }
}

/** Softmax of logits, as the model's reader takes it. */
function softmaxOf(logits) {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}
