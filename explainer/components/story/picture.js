// Screens 1 to 3: a picture of one's own, its patches, and the numbers that one of them becomes.

const STORY_INK = 112; // pixels of a drawing on its way to the server
const STORY_REST = 1200; // milliseconds after a stroke until the server gets the drawing

class DrawScreen extends StoryScreen {
  build() {
    const { data, stage } = this;
    stage.classList.add("draw");
    const left = make("div", "left", stage);
    if (data.is_digits) this.buildPad(left);
    else this.board(left);
    this.shares = this.bars(stage);
    this.task();
    this.buildPictures();
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
    this.pad.inked = () => this.follow();
  }

  /** Ask about the drawing as it stands, while the pen moves. */
  async follow() {
    const { half, pad } = this;
    const ink = pad.ink();
    if (!ink.some((value) => value)) return;
    const pixels = centred(ink, STORY_INK);
    const trace = await half.ask(pixels);
    if (trace && this.isShown) this.shares.show(outcomeOf(trace));
  }

  show() {
    const { trace, story } = this;
    this.shares.show(outcomeOf(trace));
    setText(story.quiet, "");
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
    this.patches = this.board(this.stage, { choose: (patch) => this.choose(patch) });
    this.patches.root.classList.add("apart");
    this.patches.mark("followed", this.half.followed);
    this.task();
    this.said = make("p", "result", this.words);
    this.say();
  }

  choose(patch) {
    this.story.follow(patch);
    this.patches.mark("followed", patch);
    this.say();
  }

  say() {
    const text = this.text("result", { patch: this.half.patchName(this.half.followed) });
    setText(this.said, text);
    this.story.announce(text);
  }
}

class NumbersScreen extends StoryScreen {
  build() {
    const { data, stage, half } = this;
    stage.classList.add("numbers");
    const line = make("div", "line", stage);
    const picture = make("figure", "", line);
    this.patches = this.board(picture, { choose: (patch) => this.choose(patch) });
    this.patches.mark("followed", half.followed);
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
    this.paint();
  }

  get shown() {
    return (this.chosen ??= 0);
  }

  figure(parent, name) {
    const figure = make("figure", "", parent);
    const fit = make("div", "fit", figure);
    const canvas = this.canvas(fit, "pixelated square", this.text(name));
    canvas.style.setProperty("--ratio", this.data.patch_width / this.data.patch_height);
    return [canvas, make("figcaption", "", figure, this.text(name))];
  }

  choose(patch) {
    this.story.follow(patch);
    this.patches.mark("followed", patch);
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
    this.chosen = number;
    this.slider.value = number + 1;
    this.paint();
  }

  paint() {
    const { data, trace, half, shown } = this;
    const values = rowOf(trace.get("patches"), half.followed);
    const weights = rowOf(trace.get("weight"), shown);
    const row = rowOf(trace.get("patch_embed"), half.followed);
    this.paintPatch(this.values, values);
    this.paintPatch(this.weights, weights);
    this.columns = paintRow(this.row, row, half.look);
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
  paintPatch(canvas, values) {
    const { patch_height: height, patch_width: width } = this.data;
    const pixels = height * width;
    const channels = values.length / pixels;
    const shown = new Float32Array(pixels);
    for (let at = 0; at < values.length; at++) shown[at % pixels] += values[at] / channels;
    const { context, picture } = resize(canvas, width, height);
    const words = new Uint32Array(picture.data.buffer);
    const scale = 127.5 / (Math.max(...shown.map(Math.abs)) || 1);
    shown.forEach((value, at) => (words[at] = this.half.look.signed[Math.round(127.5 + scale * value)]));
    context.putImageData(picture, 0, 0);
  }

  leave() {
    this.stage.classList.remove("numbers");
  }
}
