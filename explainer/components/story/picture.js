// Screens 1 to 3: a picture of one's own, its patches, and the numbers that one of them becomes.

const STORY_INK = 112; // pixels of a drawing on its way to the server
const STORY_REST = 1200; // milliseconds after a stroke until the server gets the drawing

class DrawScreen extends StoryScreen {
  build() {
    const { data, stage } = this;
    stage.classList.add("draw");
    const left = make("div", "left", stage);
    if (data.takes_drawings && this.isFirst) this.buildPad(left);
    else this.patches = this.board(left);
    this.shares = this.bars(stage);
    this.task();
    if (this.isFirst) this.buildPictures();
    this.show();
  }

  buildPad(parent) {
    const { story } = this;
    const root = make("div", "pad", make("div", "fit", parent));
    this.pad = new Pad(root, this.data.pad);
    // an empty pad waits for a digit; until then the story is about the one before
    const send = (drawing) => this.pad.isEmpty() || story.tell({ drawing });
    Object.assign(this.pad, { side: STORY_INK, rest: STORY_REST, send });
    // only what is drawn here is asked about: what the server sent it has answered already
    this.pad.update({ pixels: this.data.arrays.image, name: this.story.drawing });
    this.pad.inked = () => this.followPen();
  }

  /** Ask about the drawing as it stands, while the pen moves. */
  followPen() {
    const ink = this.pad.ink();
    if (!ink.some((value) => value)) return;
    const pixels = centred(ink, STORY_INK);
    this.each((screen) => screen.answer(pixels));
  }

  /** Show what the model makes of another picture, if it is also this half's. */
  async answer(drawn) {
    const { half } = this;
    if (!half.takesDrawings) return;
    const pixels = half.edited(drawn);
    this.patches?.setPicture(addressOfPicture(this.data, pixels));
    const trace = await half.ask(pixels);
    if (!trace || !this.isShown) return;
    this.showOutcome(outcomeOf(trace));
  }

  show() {
    this.showOutcome(outcomeOf(this.trace));
    setText(this.story.quiet, "");
  }

  buildPictures() {
    const { data, story } = this;
    const list = make("div", "pictures", this.words);
    list.role = "group";
    list.setAttribute("aria-label", this.text("pictures"));
    const offer = (sample, name, fillIn) => {
      const button = make("button", "sample", list);
      button.type = "button";
      button.title = name;
      button.setAttribute("aria-label", name);
      button.addEventListener("click", () => story.tell({ sample }));
      fillIn(button);
    };
    if (data.is_digits) {
      list.before(make("p", "note", null, this.text("again")));
      const size = 28 * 28;
      for (let digit = 0; digit < data.arrays.digits.length / size; digit++) {
        offer(digit, this.text("digit", { digit }), (button) => {
          const pixels = data.arrays.digits.subarray(digit * size, (digit + 1) * size);
          button.append(new StagePicture().set(pixels, 28, 28, 1).canvas);
        });
      }
      return;
    }
    data.pictures.forEach(({ name, address }, sample) => {
      offer(sample, name, (button) => {
        const image = make("img", "", button);
        image.src = address;
        image.alt = "";
      });
    });
  }

  refresh() {
    if (!this.pad) {
      super.refresh();
      return;
    }
    this.pad.update({ pixels: this.data.arrays.image, name: this.story.drawing });
    this.show();
  }

  leave() {
    this.stage.classList.remove("draw");
    // what was drawn a moment ago is what the next screen shows
    if (this.pad?.timer) this.pad.hand();
  }
}

class PatchesScreen extends StoryScreen {
  build() {
    this.patches = this.board(this.stage, { choose: (patch) => this.follow(patch) });
    this.patches.root.classList.add("apart");
    this.task();
    this.result = make("p", "result", this.words);
    this.showFollowed();
  }

  showFollowed() {
    super.showFollowed();
    const text = this.text("result", { patch: this.half.patchName(this.half.followed) });
    setText(this.result, text);
    if (this.isFirst) this.story.announce(text);
  }
}

class NumbersScreen extends StoryScreen {
  build() {
    const { data, stage } = this;
    stage.classList.add("numbers");
    const line = make("div", "line", stage);
    const picture = make("figure", "", line);
    this.patches = this.board(picture, { choose: (patch) => this.follow(patch) });
    make("span", "sign", line, "→");
    [this.values, this.valuesText] = this.figure(line, "values");
    make("span", "sign", line, "×");
    [this.weights, this.weightsText] = this.figure(line, "weights");
    make("p", "caption", stage, this.text("row"));
    const box = make("div", "row-box", stage);
    this.row = make("canvas", "row-strip tall", box);
    this.row.ariaHidden = "true";
    this.cell = make("span", "cell-mark", box);
    this.slider = make("input", "over", box);
    Object.assign(this.slider, { type: "range", min: 1, max: data.width, step: 1, value: this.shown + 1 });
    this.slider.setAttribute("aria-label", this.text("row"));
    this.slider.addEventListener("input", () => this.pick(Number(this.slider.value) - 1));
    this.row.addEventListener("pointermove", (event) => event.buttons && this.pickAt(event));
    this.row.addEventListener("pointerdown", (event) => this.pickAt(event));
    this.sum = make("p", "result", stage);
    this.task();
    this.showFollowed();
  }

  /** Which number of the row is looked at: the same in both halves, if both have it. */
  get shown() {
    return Math.min(this.first.chosen ?? 0, this.data.width - 1);
  }

  get patchValues() {
    return rowOf(this.trace.get("patches"), this.half.followed);
  }

  get numberWeights() {
    return rowOf(this.trace.get("weight"), this.shown);
  }

  get patchRow() {
    return rowOf(this.trace.get("patch_embed"), this.half.followed);
  }

  figure(parent, name) {
    const figure = make("figure", "", parent);
    const fit = make("div", "fit", figure);
    const canvas = this.canvas(fit, "pixelated square", this.text(name));
    canvas.style.setProperty("--ratio", this.data.patch_width / this.data.patch_height);
    return [canvas, make("figcaption", "", figure, this.text(name))];
  }

  showFollowed() {
    super.showFollowed();
    this.paint();
  }

  pickAt(event) {
    const box = this.row.getBoundingClientRect();
    const lines = Math.ceil(this.data.width / this.columns);
    const within = (at, size, count) => Math.max(0, Math.min(count - 1, Math.floor((at / size) * count)));
    const column = within(event.clientX - box.left, box.width, this.columns);
    const line = within(event.clientY - box.top, box.height, lines);
    this.pick(Math.min(line * this.columns + column, this.data.width - 1));
    this.slider.focus({ preventScroll: true });
  }

  pick(number) {
    this.first.chosen = number;
    this.each((screen) => screen.paint());
  }

  paint() {
    const { data, half, shown, patchRow: row } = this;
    const full = (name) => this.common((screen) => largestSize(screen.meanOfChannels(screen[name])));
    this.paintPatch(this.values, this.patchValues, full("patchValues"));
    this.paintPatch(this.weights, this.numberWeights, full("numberWeights"));
    this.columns = paintRow(this.row, row, half.look, this.common((screen) => fullAt(screen.patchRow)));
    this.slider.value = shown + 1;
    const lines = Math.ceil(data.width / this.columns);
    Object.assign(this.cell.style, {
      left: `${(100 * (shown % this.columns)) / this.columns}%`,
      top: `${(100 * Math.floor(shown / this.columns)) / lines}%`,
      width: `${100 / this.columns}%`,
      height: `${100 / lines}%`,
    });
    const value = written(row[shown]);
    const said = this.text("cell", { number: shown + 1, value });
    this.slider.setAttribute("aria-valuetext", said);
    const bias = written(data.arrays.bias[shown]);
    const number = this.text("sum", { number: shown + 1 });
    setText(this.sum, `${number}: ${this.text("products", { bias, value })}`);
  }

  /** A patch's values or weights as colours; of several channels their mean. */
  paintPatch(canvas, values, full) {
    const { patch_height: height, patch_width: width } = this.data;
    const { context, picture } = resize(canvas, width, height);
    const words = new Uint32Array(picture.data.buffer);
    const scale = 127.5 / (full || 1);
    this.meanOfChannels(values).forEach((value, at) => {
      words[at] = this.half.look.signed[Math.round(127.5 + scale * value)];
    });
    context.putImageData(picture, 0, 0);
  }

  meanOfChannels(values) {
    const pixels = this.data.patch_height * this.data.patch_width;
    const channels = values.length / pixels;
    const mean = new Float32Array(pixels);
    for (let at = 0; at < values.length; at++) mean[at % pixels] += values[at] / channels;
    return mean;
  }

  leave() {
    this.stage.classList.remove("numbers");
  }
}
