// How the second half of a comparison differs from the first: B − A, where their shapes agree.

class StoryDifference {
  constructor(root, one, other) {
    Object.assign(this, { root, one, other });
    this.frame = one.data.frame;
  }

  /** Say why nothing can be subtracted, or build the picture of the difference. */
  draw() {
    const why = this.why();
    make("h3", "", this.root, this.frame.view_difference);
    if (why) {
      make("p", "why", this.root, this.filled(why.text, why.values));
      return;
    }
    this.stage = make("div", "stage", this.root);
    this.build();
    this.changed(null);
  }

  /** Take over what has changed in a half; ``pointed`` is the first half's patch that is pointed at. */
  changed(pointed) {
    if (this.stage) this.paint(pointed ?? this.one.half.followed);
  }

  filled(name, values = {}) {
    return fill(this.frame[name], values);
  }

  // reasons

  whyNotPatches() {
    const [one, other] = [this.one.data, this.other.data];
    if (one.rows === other.rows && one.columns === other.columns) return null;
    const grid = ({ rows, columns }) => `${rows} × ${columns}`;
    return { text: "unlike_patches", values: { a: grid(one), b: grid(other) } };
  }

  whyNotWidth() {
    const [a, b] = [this.one.data.width, this.other.data.width];
    return a === b ? null : { text: "unlike_width", values: { a, b } };
  }

  whyNotNames() {
    const [one, other] = [this.one.data, this.other.data];
    if (one.has_head !== other.has_head) return { text: "unlike_heads" };
    if (!one.has_head) return this.whyNotWidth();
    return sameNames(one.class_names, other.class_names) ? null : { text: "unlike_names" };
  }

  whyNotDepth() {
    const [a, b] = [this.one.data.depth, this.other.data.depth];
    return a === b ? null : { text: "unlike_depth", values: { a, b } };
  }

  whyNotHead() {
    const [one, other] = [this.one.half.tellingHead, this.other.half.tellingHead];
    if (one.block === other.block && one.head === other.head) return null;
    return { text: "no_such_head", values: { block: one.block + 1, head: one.head + 1 } };
  }

  // drawing

  figure(parent, text) {
    const figure = make("figure", "", parent);
    make("figcaption", "caption", figure, text);
    return figure;
  }

  canvas(parent, className, label) {
    return this.one.canvas(parent, className, label);
  }

  board(parent) {
    const { one } = this;
    return new PatchBoard(make("div", "fit", parent), one.half, {
      label: this.frame.view_difference,
      point: (patch, byKeyboard) => one.pointAt(patch, byKeyboard),
      choose: one.follow && !(one instanceof AttentionScreen) ? (patch) => one.follow(patch) : null,
    });
  }

  /** Paint the difference of two rows; returns it. */
  paintRow(canvas, one, other) {
    const difference = minus(other, one);
    paintRow(canvas, difference, this.one.half.look);
    return difference;
  }

  paintMatrix(canvas, { shape, data: one }, { data: other }) {
    const painted = new StageRows().set({ shape, data: minus(other, one) }, this.one.half.look);
    const { context } = resize(canvas, painted.cells, painted.rows);
    context.drawImage(painted.canvas, 0, 0);
  }

  /** A slider that moves those of both halves, which are hidden now. */
  slider(parent, { min, max, label, act }) {
    const slider = make("input", "", make("div", "scrub", parent));
    Object.assign(slider, { type: "range", min, max, step: 1 });
    slider.setAttribute("aria-label", label);
    slider.addEventListener("input", () => act(Number(slider.value)));
    return slider;
  }

  /** What colours mean: the largest size, at both ends. */
  legend(parent, unit = "") {
    const line = make("div", "legend signed", parent);
    const less = make("span", "", line);
    make("span", "bar", line).style.setProperty("--scale", this.stops().join(", "));
    const more = make("span", "", line);
    make("span", "", line, unit);
    return (most, write) => {
      setText(less, write(-most));
      setText(more, write(most));
    };
  }

  stops() {
    const { colours } = this.one.data;
    return (this.one.half.look.isDark && colours.diverging_dark) || colours.diverging;
  }
}

function minus(one, other) {
  return Float32Array.from(one, (value, at) => value - other[at]);
}

/** A difference of shares, in percentage points. */
function writtenPoints(difference) {
  const points = 100 * difference;
  const size = Math.abs(points);
  const text = size.toFixed(size < 9.95 ? 1 : 0);
  return `${points < 0 && Number(text) !== 0 ? "\u2212" : Number(text) !== 0 ? "+" : ""}${text}`;
}

// shares

/** Bars to the right where B gives more, to the left where it gives less. */
class SignedBars {
  constructor(parent, label) {
    this.list = make("ol", "bars signed", parent);
    this.list.setAttribute("aria-label", label);
    this.rows = [];
  }

  show(names, differences) {
    const full = largestSize(differences) || 1;
    if (this.rows.length !== names.length) {
      this.rows = names.map(() => {
        const row = make("li", "bar");
        const name = make("span", "name", row);
        const filled = make("span", "fill", make("span", "track", row));
        return { row, name, filled, value: make("span", "value", row) };
      });
      this.list.replaceChildren(...this.rows.map(({ row }) => row));
      this.list.classList.toggle("named", names.some((name) => name.length > 2));
    }
    this.rows.forEach(({ row, name, filled, value }, at) => {
      setText(name, names[at]);
      name.title = names[at];
      filled.style.transform = `scaleX(${(differences[at] / full).toFixed(4)})`;
      row.classList.toggle("less", differences[at] < 0);
      setText(value, writtenPoints(differences[at]));
    });
  }
}

class OutcomeDifference extends StoryDifference {
  why() {
    return this.whyNotNames();
  }

  build() {
    this.stage.classList.add("outcomes");
    this.lists = [];
  }

  paint() {
    const { one, other, stage, lists } = this;
    const count = Math.min(one.results?.length ?? 0, other.results?.length ?? 0);
    if (lists.length !== count) {
      stage.replaceChildren();
      lists.splice(0);
      for (const { caption } of one.results?.slice(0, count) ?? []) {
        const text = one.data.has_head ? `${caption}, ${this.frame.points}` : caption;
        const figure = this.figure(stage, text);
        lists.push(
          one.data.has_head ? new SignedBars(figure, text) : this.canvas(figure, "row-strip tall", text),
        );
      }
    }
    lists.forEach((list, at) => {
      const [mine, theirs] = [one.results[at].outcome, other.results[at].outcome];
      if (!one.data.has_head) {
        this.paintRow(list, mine, theirs);
        return;
      }
      const larger = Array.from(mine, (share, index) => Math.max(share, theirs[index]));
      const shown = barsOf(larger);
      list.show(
        shown.map((index) => one.data.class_names[index]),
        shown.map((index) => theirs[index] - mine[index]),
      );
    });
  }
}

// rows of numbers

class NumbersDifference extends StoryDifference {
  why() {
    const [one, other] = [this.one.data, this.other.data];
    const isSame = one.patch_width === other.patch_width && one.patch_height === other.patch_height;
    if (isSame && one.channels === other.channels) return this.whyNotWidth();
    const size = (data) => `${data.patch_height} × ${data.patch_width} × ${data.channels}`;
    return { text: "unlike_patch_size", values: { a: size(one), b: size(other) } };
  }

  build() {
    this.stage.classList.add("numbers");
    const line = make("div", "pair", this.stage);
    const square = (name) => {
      const figure = this.figure(line, this.one.text(name));
      const canvas = this.canvas(make("div", "fit", figure), "pixelated square", this.one.text(name));
      canvas.style.setProperty("--ratio", this.one.data.patch_width / this.one.data.patch_height);
      return canvas;
    };
    [this.values, this.weights] = [square("values"), square("weights")];
    make("p", "caption", this.stage, this.one.text("row"));
    this.row = this.canvas(this.stage, "row-strip tall", this.one.text("row"));
    const { width } = this.one.data;
    const act = (value) => this.one.pick(value - 1);
    this.number = this.slider(this.stage, { min: 1, max: width, label: this.one.text("row"), act });
    this.sum = make("p", "result", this.stage);
  }

  paint() {
    const { one, other } = this;
    for (const [canvas, name] of [[this.values, "patchValues"], [this.weights, "numberWeights"]]) {
      const difference = minus(other[name], one[name]);
      one.paintPatch(canvas, difference, largestSize(one.meanOfChannels(difference)));
    }
    const row = this.paintRow(this.row, one.patchRow, other.patchRow);
    const number = one.text("sum", { number: one.shown + 1 });
    const said = `${number}: ${written(row[one.shown])}`;
    setText(this.sum, said);
    this.number.value = one.shown + 1;
    this.number.setAttribute("aria-valuetext", said);
  }
}

class RowsDifference extends StoryDifference {
  why() {
    return this.whyNotPatches() ?? this.whyNotWidth();
  }

  build() {
    const { one, other } = this;
    this.stage.classList.add("rows");
    const box = make("div", "rows-box", this.stage);
    if (one.isClass && other.isClass) {
      const first = make("div", "first", box);
      const name = one.data.prefix_names[0];
      make("span", "name", first, name);
      this.first = this.canvas(first, "pixelated strip", one.text("row", { name }));
    } else make("div", "", box);
    const others = make("div", "others", box);
    one.paintPatches(make("canvas", "pixelated", others));
    this.all = this.canvas(others, "pixelated strip all", one.text("rows"));
    this.mark = make("span", "row-of", others);
    this.mark.style.height = `${100 / (one.data.rows * one.data.columns)}%`;
  }

  paint(patch) {
    const { one, other } = this;
    if (this.first) this.paintMatrix(this.first, one.firstRow, other.firstRow);
    this.paintMatrix(this.all, one.patchRows, other.patchRows);
    this.mark.style.top = `${(100 * patch) / (one.data.rows * one.data.columns)}%`;
  }
}

// where patches look

class AttentionDifference extends StoryDifference {
  why() {
    return this.whyNotPatches() ?? this.whyNotHead();
  }

  build() {
    this.stage.classList.add("signed");
    this.patches = this.board(this.stage);
    this.label = this.legend(this.stage, this.frame.points);
  }

  paint(patch) {
    const { one, other, patches } = this;
    patches.mark("followed", one.half.followed);
    if (!one.isOpen) {
      patches.veil(null);
      return;
    }
    const difference = minus(other.weights, one.weights);
    const most = largestSize(difference);
    patches.mark("pointed", patch === one.half.followed ? null : patch);
    patches.veilSigned(difference, most);
    this.label(most, writtenPoints);
  }
}

class HeadsDifference extends StoryDifference {
  why() {
    return this.whyNotPatches() ?? this.whyNotHead();
  }

  build() {
    const { one, other } = this;
    this.stage.classList.add("heads");
    this.patches = this.board(make("div", "left", this.stage));
    const list = make("div", "head-maps", this.stage);
    const count = Math.min(one.maps.length, other.maps.length);
    list.style.setProperty("--across", Math.ceil(Math.sqrt(count)));
    this.maps = Array.from({ length: count }, (_, head) => {
      const text = one.text("head", { head: head + 1 });
      const figure = make("figure", "", list);
      const map = make("div", "map", figure);
      map.style.setProperty("--ratio", one.data.image_width / one.data.image_height);
      make("figcaption", "", figure, text);
      return this.canvas(map, "pixelated over-map", text);
    });
  }

  paint(patch) {
    const { one, other, patches } = this;
    const { half, block } = one;
    const { rows, columns } = one.data;
    patches.mark("followed", half.followed);
    patches.mark("pointed", patch === half.followed ? null : patch);
    this.maps.forEach((canvas, head) => {
      const difference = minus(other.half.weightsOf(block, head, patch), half.weightsOf(block, head, patch));
      const scale = 127.5 / (largestSize(difference) || 1);
      const { context, picture } = resize(canvas, columns, rows);
      const words = new Uint32Array(picture.data.buffer);
      difference.forEach((value, at) => (words[at] = half.look.signed[Math.round(127.5 + scale * value)]));
      context.putImageData(picture, 0, 0);
    });
  }
}

class BlocksDifference extends StoryDifference {
  why() {
    return this.whyNotPatches();
  }

  build() {
    this.stage.classList.add("blocks");
    this.patches = this.board(make("div", "left", this.stage));
    const below = make("div", "below", this.stage);
    const max = this.one.stages.length - 1;
    const act = (at) => {
      this.one.pause();
      this.one.turn(at);
    };
    this.at = this.slider(below, { min: 0, max, label: this.one.text("slider"), act });
    this.said = make("output", "", this.at.parentNode);
    if (!this.whyNotWidth()) {
      const strip = make("div", "labelled", below);
      make("span", "caption", strip, this.one.text("row"));
      this.row = this.canvas(strip, "row-strip tall", this.one.text("row"));
    }
    this.label = this.legend(below);
  }

  paint(patch) {
    const { one, other, patches } = this;
    patches.mark("followed", one.half.followed);
    patches.mark("pointed", patch === one.half.followed ? null : patch);
    this.at.value = one.at;
    setText(this.said, one.stageName);
    this.at.setAttribute("aria-valuetext", one.stageName);
    const difference = minus(other.alike, one.alike);
    const most = largestSize(difference);
    patches.veilSigned(difference, most);
    this.label(most, (value) => written(value));
    if (this.row) this.paintRow(this.row, one.patchRow, other.patchRow);
  }
}

// what it would have said

class AnswerDifference extends StoryDifference {
  why() {
    if (this.whyNotNames()) return this.whyNotNames();
    return this.one.data.has_head ? this.whyNotDepth() : this.whyNotPatches();
  }

  build() {
    const { one } = this;
    if (!one.data.has_head) {
      this.stage.classList.add("signed");
      this.patches = this.board(this.stage);
      this.label = this.legend(this.stage);
      return;
    }
    this.stage.classList.add("lens");
    const { other } = this;
    const last = Array.from(one.shares.at(-1), (share, at) => Math.max(share, other.shares.at(-1)[at]));
    this.shown = barsOf(last);
    this.rows = one.stageTable(this.stage, this.shown, "div");
  }

  paint(patch) {
    const { one, other } = this;
    const { look } = one.half;
    if (!one.data.has_head) {
      const difference = minus(other.alike(patch), one.alike(patch));
      this.patches.veilSigned(difference, largestSize(difference));
      this.patches.mark("pointed", patch);
      this.label(largestSize(difference), (value) => written(value));
      return;
    }
    if (!one.isOpen) return;
    const differences = one.shares.map((shares, at) => minus(other.shares[at], shares));
    const full = Math.max(...differences.map(largestSize)) || 1;
    this.rows.forEach(({ row, cells, said, label }, at) => {
      row.classList.add("open");
      const difference = differences[at];
      for (const { cell, index } of cells) {
        cell.style.background = colourOf(look.signed[Math.round(127.5 + (127.5 * difference[index]) / full)]);
      }
      const largest = this.shown[largestOf(this.shown.map((index) => Math.abs(difference[index])))];
      const text = `${one.data.class_names[largest]}, ${writtenPoints(difference[largest])}`;
      setText(said, text);
      row.setAttribute("aria-label", `${label}: ${text}`);
    });
  }
}

/** Both points on one curve. */
class LossDifference extends StoryDifference {
  why() {
    const { one, other } = this;
    if (!one.data.has_head && !other.data.has_head) return { text: "no_loss" };
    return this.whyNotNames();
  }

  build() {
    this.stage.classList.add("loss");
    this.plot = new LossPlot(this.stage, this.one);
    this.plot.before.className = "point other";
    this.said = make("b", "point-said", this.plot.plot);
  }

  paint() {
    const { one, other, plot } = this;
    const [mine, theirs] = [one, other].map((screen) => screen.loss + screen.halved * Math.LN2);
    plot.draw(Math.max(one.most, other.most));
    plot.mark(mine, `${this.frame.view_a} · ${one.name}`, theirs);
    const facts = { share: percent(Math.exp(-theirs)), loss: writtenBriefly(theirs) };
    plot.write(this.said, theirs, one.text("point", { name: `${this.frame.view_b} · ${other.name}`, ...facts }));
    const difference = theirs - mine;
    const sign = difference > 0.005 ? "+" : "";
    setText(plot.caption, one.text("difference", { difference: sign + writtenBriefly(difference) }));
  }
}

const STORY_DIFFERENCES = {
  draw: OutcomeDifference,
  numbers: NumbersDifference,
  extra_row: RowsDifference,
  position: OutcomeDifference,
  attention: AttentionDifference,
  heads: HeadsDifference,
  blocks: BlocksDifference,
  answer: AnswerDifference,
  cover: OutcomeDifference,
  loss: LossDifference,
  step: OutcomeDifference,
  end: OutcomeDifference,
};
