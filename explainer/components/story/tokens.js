// Screens 4 and 5: the row that joins the others, and where each patch was.

class ExtraRowScreen extends StoryScreen {
  build() {
    const { data, stage, trace } = this;
    stage.classList.add("rows");
    this.isClass = data.pool === "cls";
    const box = make("div", "rows-box", stage);
    this.buildRows(box);
    const hasQuestion = this.isClass || data.rows * data.columns > 1;
    if (!hasQuestion) return;
    this.predict({
      about: data.model,
      question: this.text("question"),
      options: this.texts.options,
    });
    this.proof = make("div", "proof", stage);
    if (this.isOpen) this.reveal();
    else if (this.isClass) requestAnimationFrame(() => box.classList.add("joined"));
  }

  buildRows(box) {
    const { data, patchRows } = this;
    if (this.isClass) {
      const first = make("div", "first", box);
      make("span", "name", first, data.prefix_names[0]);
      const canvas = this.canvas(first, "pixelated strip", this.text("row", { name: data.prefix_names[0] }));
      this.paintRows(canvas, this.firstRow, "firstRow");
    }
    const others = make("div", "others", box);
    others.dataset.grid = `${data.rows} ${data.columns}`;
    this.paintPatches(make("canvas", "pixelated", others));
    const canvas = this.canvas(others, "pixelated strip all", this.text("rows"));
    this.paintRows(canvas, patchRows, "patchRows");
    this.mark = make("span", "row-of", others);
    this.mark.style.height = `${100 / (data.rows * data.columns)}%`;
    this.showPointed(null);
  }

  /** The rows of all patches, before anything was added to them. */
  get patchRows() {
    return this.trace.get("patch_embed");
  }

  /** The row that stands for all: the class token's, or the mean of the patches' rows. */
  get firstRow() {
    const { data, patchRows } = this;
    const shape = [1, data.width];
    if (data.pool === "cls") return { shape, data: rowOf(this.trace.get("tokens"), 0) };
    const mean = new Float32Array(data.width);
    const count = data.rows * data.columns;
    patchRows.data.forEach((value, at) => (mean[at % data.width] += value / count));
    return { shape, data: mean };
  }

  showPointed(patch) {
    const { data, half } = this;
    this.mark.style.top = `${(100 * (patch ?? half.followed)) / (data.rows * data.columns)}%`;
  }

  /** The patch beside each row. */
  paintPatches(canvas) {
    const { data } = this;
    const [wide, high] = [data.patch_width, data.patch_height];
    const { context } = resize(canvas, wide, high * data.rows * data.columns);
    const picture = { canvas: pictureCanvas(data), isSmall: data.image_width <= 96 };
    for (let patch = 0; patch < data.rows * data.columns; patch++) {
      drawPatch(context, picture, data, patch, { x: 0, y: patch * high, width: wide, height: high });
    }
    canvas.ariaHidden = "true";
  }

  /** Paint rows on the scale of those of both halves that ``name`` names. */
  paintRows(canvas, rows, name) {
    const full = this.common((screen) => fullAt(screen[name].data));
    const painted = new StageRows().set({ ...rows, full }, this.half.look);
    const { context } = resize(canvas, painted.cells, painted.rows);
    context.drawImage(painted.canvas, 0, 0);
  }

  predicted(index, option) {
    const right = this.texts.options[1];
    const isShown = this.prediction.settle({ given: option, right, result: this.text("why") });
    if (isShown) this.each((screen) => screen.reveal());
  }

  showMe() {
    this.each(({ proof }) => {
      proof?.classList.remove("shown");
      requestAnimationFrame(() => proof?.classList.add("shown"));
    });
  }

  /** Show the row beside other pictures: it is the same, since it is a part of the model. */
  reveal() {
    const { half, proof } = this;
    if (!proof) return;
    this.stage.classList.add("proved");
    proof.replaceChildren();
    make("p", "caption", proof, this.text("proof"));
    if (!this.isClass) {
      const canvas = this.canvas(proof, "pixelated strip", this.text("proof"));
      this.paintRows(canvas, this.firstRow, "firstRow");
    } else {
      for (const { name, picture } of half.otherPictures()) this.showOther(name, picture);
    }
    requestAnimationFrame(() => proof.classList.add("shown"));
  }

  async showOther(name, { canvas: image, pixels }) {
    const { data, proof, half } = this;
    const line = make("div", "other", proof);
    line.append(image);
    image.setAttribute("aria-hidden", "true");
    const label = `${data.prefix_names[0]}, ${name}`;
    const canvas = this.canvas(line, "pixelated strip", label);
    // a pass of its own, so that nobody has to believe it
    const trace = pixels && half.hasLive ? await half.ask(pixels) : null;
    if (!this.isShown) return;
    const tokens = (trace ?? this.trace).get("tokens");
    this.paintRows(canvas, { shape: [1, data.width], data: rowOf(tokens, 0) }, "firstRow");
  }

  leave() {
    this.stage.classList.remove("rows", "proved");
  }
}

class PositionScreen extends StoryScreen {
  build() {
    const { data, stage, half } = this;
    this.count = data.rows * data.columns;
    stage.classList.add("beside");
    this.patches = this.board(make("div", "left", stage));
    this.patches.mark("followed", half.followed);
    this.right = make("div", "right", stage);
    this.shares = this.bars(this.right);
    this.showOutcome(outcomeOf(this.trace));
    if (this.count < 2 || this.first.count < 2) return;
    this.predict({
      about: data.context,
      question: this.text("question"),
      options: this.texts.options.map((option) => fill(option, half.facts)),
    });
    if (this.isOpen) this.open();
  }

  /** The order of the patches, of both halves; null for the picture's own. */
  get order() {
    return this.isShuffled ? this.first.shuffled : null;
  }

  get isShuffled() {
    return this.first.shuffled?.length === this.count;
  }

  get hasPosition() {
    return this.story.screens.some(({ data }) => data.position !== "none");
  }

  async predicted(index) {
    // the same order for everybody, so that a teacher can know beforehand what will be said
    this.shuffled = shuffledOrder(this.count, drawnFor(this.data.context));
    this.each((screen) => screen.patches.arrange(screen.order));
    const after = await this.half.outcome({ order: this.order });
    if (!after || !this.isShown) return;
    const before = outcomeOf(this.trace);
    const { options } = this.prediction;
    let isShown;
    if (!this.data.has_head) {
      const alike = likeness(before, after);
      const right = options[alike > 0.9999 ? 0 : 1];
      const result = this.text("result_features", { likeness: alike.toFixed(3) });
      isShown = this.prediction.settle({ given: options[index], right, result });
    } else {
      const [old, now] = [largestOf(before), largestOf(after)];
      const names = this.data.class_names;
      const result = this.text("result", {
        old: names[old],
        old_share: percent(before[old]),
        new: names[now],
        new_share: percent(after[now]),
      });
      isShown = this.prediction.settle({ given: options[index], right: options[old === now ? 0 : 1], result });
    }
    if (isShown) this.each((screen) => screen.open());
    else this.each((screen) => screen.patches.arrange((screen.first.shuffled = null)));
  }

  showMe() {
    this.isOff = false;
    this.shuffle();
  }

  /** The experiment: shuffled or in order, with position and without. */
  open() {
    const { right } = this;
    right.replaceChildren();
    right.classList.add("two");
    this.task();
    this.tools = make("div", "tools", this.words);
    this.button(this.tools, "shuffle", () => this.shuffle());
    this.button(this.tools, "order", () => this.shuffle(null));
    if (this.hasPosition) {
      this.toggle = make("div", "toggle", this.tools);
      this.toggle.role = "group";
      this.toggle.setAttribute("aria-label", this.text("choose"));
      for (const [name, isOff] of [["with_position", false], ["without_position", true]]) {
        const button = this.button(this.toggle, name, () => {
          this.first.isOff = isOff;
          this.each((screen) => screen.measure());
        });
        button.isOff = isOff;
      }
    }
    make("p", "caption", right, this.text("in_order"));
    this.before = this.bars(right);
    if (this.isFirst && !this.isShuffled) this.shuffled = shuffledOrder(this.count);
    if (this.isShuffled) {
      make("p", "caption", right, this.text("shuffled"));
      this.after = this.bars(right);
    } else this.say(this.text("other_patches"));
    this.arrange();
  }

  /** Shuffle the patches, or put them in order with null. */
  shuffle(order = shuffledOrder(this.count)) {
    this.first.shuffled = order ?? Array.from({ length: this.count }, (_, patch) => patch);
    this.each((screen) => screen.arrange());
  }

  arrange() {
    this.patches.arrange(this.order);
    this.measure();
  }

  /** Show what the model says of the picture in order, and as its patches lie now. */
  async measure() {
    const { half, order } = this;
    const noPosition = Boolean(this.first.isOff);
    for (const button of this.toggle?.children ?? []) {
      button.setAttribute("aria-pressed", button.isOff === noPosition);
    }
    const before = noPosition ? await half.outcome({ noPosition }) : outcomeOf(this.trace);
    if (!noPosition) this.before.show(before);
    const after = order ? await half.outcome({ order, noPosition }) : before;
    if (!before || !after || !this.isShown) return;
    this.before.show(before);
    this.after?.show(after);
    this.results = [{ caption: this.text("in_order"), outcome: before }];
    if (order) this.results.push({ caption: this.text("shuffled"), outcome: after });
    this.story.halves.changed();
  }

  leave() {
    this.stage.classList.remove("beside");
  }
}
