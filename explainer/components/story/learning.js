// Screen 13 and the last: a recorded run learns, and what was predicted on the way.

const STORY_PIXELS = 28 * 28; // of a digit

class LearnScreen extends StoryScreen {
  build() {
    const { data, stage } = this;
    stage.classList.add("learning");
    const { right, stops } = data.learned;
    const options = this.optionsFor(right[1], data.learned.truths.length);
    this.prediction = new Prediction(this, {
      about: "recorded",
      question: this.text("question"),
      options: options.map((count) => this.text("option", { count })),
    });
    this.digits = make("ul", "digits", stage);
    this.tiles = data.learned.truths.map((truth, at) => {
      const tile = make("li", "tile", this.digits);
      const pixels = data.arrays.learned_digits.subarray(at * STORY_PIXELS, (at + 1) * STORY_PIXELS);
      const { canvas } = new StagePicture().set(pixels, 28, 28, 1);
      canvas.className = "pixelated";
      canvas.role = "img";
      tile.append(canvas);
      return { tile, canvas, truth, said: make("b", "", tile) };
    });
    const below = make("div", "below", stage);
    const line = make("div", "scrub", below);
    this.slider = make("input", "", line);
    Object.assign(this.slider, { type: "range", min: 0, max: stops - 1, step: 1, value: 0 });
    this.slider.setAttribute("aria-label", this.text("slider"));
    this.slider.addEventListener("input", () => this.show(Number(this.slider.value)));
    this.said = make("output", "", line);
    this.buildCurve(below);
    this.after = make("div", "", this.words);
    make("p", "note", this.words, this.text("note"));
    if (this.story.halves.second) make("p", "note", this.words, this.text("same_run"));
    this.show(0);
    if (this.prediction.isAnswered) this.open();
    else this.slider.disabled = true;
  }

  /** The right number among two others that stand well apart from it. */
  optionsFor(right, count) {
    return [2, 6, 10, 14, count].filter((other) => other === right || Math.abs(other - right) > 3)
      .concat(right)
      .filter((option, at, all) => all.indexOf(option) === at)
      .sort((one, other) => Math.abs(one - right) - Math.abs(other - right))
      .slice(0, 3)
      .sort((one, other) => one - other);
  }

  predicted(index, option) {
    const { right } = this.data.learned;
    const truth = this.text("option", { count: right[1] });
    const result = this.text("count", { right: right[1] });
    if (!this.prediction.settle({ given: option, right: truth, result })) return;
    this.open();
    this.slider.value = 1;
    this.show(1);
  }

  showMe() {
    this.slider.value = 1;
    this.show(1);
    this.slider.focus();
  }

  open() {
    this.slider.disabled = false;
    this.after.replaceChildren(make("p", "task", null, this.text("task")));
  }

  show(at) {
    const { data, tiles } = this;
    const { right, truths } = data.learned;
    const classes = data.arrays.learned_shares.length / data.learned.stops / truths.length;
    const answered = this.prediction.isAnswered;
    tiles.forEach(({ tile, canvas, truth, said }, place) => {
      const from = (at * truths.length + place) * classes;
      const best = largestOf(data.arrays.learned_shares.subarray(from, from + classes));
      setText(said, String(best));
      tile.classList.toggle("right", best === truth);
      canvas.setAttribute("aria-label", this.text("digit", { truth, answer: best }));
    });
    const { facts } = this.half;
    const stop = at ? this.text("stop", { epoch: at, epochs: facts.epochs }) : this.text("start");
    const text = answered || !at ? `${stop}: ${this.text("count", { right: right[at] })}` : stop;
    setText(this.said, text);
    this.slider.setAttribute("aria-valuetext", text);
    this.cursor.style.left = `${(100 * at) / (data.learned.stops - 1)}%`;
    this.curve.style.setProperty("--shown", `${(100 * at) / (data.learned.stops - 1)}%`);
  }

  /** The share of right answers while it learned; no further than the slider. */
  buildCurve(parent) {
    const { steps, accuracies } = this.data.arrays;
    const figure = make("figure", "curve", parent);
    this.curve = make("div", "plot", figure);
    const svg = document.createElementNS(STORY_SVG, "svg");
    svg.setAttribute("viewBox", "0 0 100 100");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", this.text("curve"));
    const line = document.createElementNS(STORY_SVG, "path");
    const last = steps.at(-1);
    const points = Array.from(steps, (step, at) => `${(100 * step) / last} ${100 - 100 * accuracies[at]}`);
    line.setAttribute("d", `M${points.join("L")}`);
    svg.append(line);
    this.curve.append(svg);
    this.cursor = make("span", "now", this.curve);
    make("figcaption", "caption", figure, this.text("curve"));
  }

  leave() {
    this.stage.classList.remove("learning");
  }
}

class EndScreen extends StoryScreen {
  build() {
    const { stage, half, story } = this;
    stage.classList.add("beside");
    this.patches = this.board(make("div", "left", stage));
    this.patches.mark("followed", half.followed);
    this.shares = this.bars(make("div", "right", stage));
    this.showOutcome(outcomeOf(this.trace));
    if (!this.isFirst) return;
    this.buildList();
    const tools = make("div", "tools", this.words);
    const train = make("a", "primary", tools, this.text("train"));
    train.href = story.addressOfPage("train");
    train.dataset.view = "train";
    this.button(tools, "again", () => story.turnTo(1));
    this.button(tools, "forget", () => {
      story.answers.forget();
      this.refresh();
    });
  }

  buildList() {
    const { data, half, story } = this;
    const list = make("ol", "predictions", this.words);
    let [right, given] = [0, 0];
    for (const [name, about] of story.predictions()) {
      const answer = story.answers.get(name, about);
      const number = data.screens.findIndex((screen) => screen.name === name) + 1;
      const item = make("li", answer?.verdict ?? "missing", list);
      const button = make("button", "", item);
      button.type = "button";
      const sign = { right: "✓", close: "≈", wrong: "✗" }[answer?.verdict] ?? "·";
      make("b", "sign", button, sign);
      make("span", "what", button, fill(data.screens[number - 1].title, half.facts));
      make("span", "said", button, answer ? answer.given : this.text("missing"));
      button.addEventListener("click", () => story.turnTo(number));
      if (answer) given += 1;
      if (answer?.verdict === "right") right += 1;
    }
    if (given) list.before(make("p", "result", null, this.text("score", { right, count: given })));
  }

  leave() {
    this.stage.classList.remove("beside");
  }
}
