// Screen 16: which patches are alike, by their pixels and after the blocks.

class AlikeScreen extends StoryScreen {
  build() {
    const { data, stage, half } = this;
    stage.classList.add("alike");
    const choose = (patch) => this.first.choose(half.patchIn(this.first.half, patch));
    const figure = (name) => {
      const element = make("figure", "", stage);
      make("figcaption", "caption", element, this.text(name));
      return this.board(element, { label: this.text(name), choose });
    };
    this.byPixels = figure("pixels");
    this.patches = figure("model");
    const below = make("div", "below", stage);
    const line = make("div", "scrub", below);
    this.slider = make("input", "", line);
    Object.assign(this.slider, { type: "range", min: 0, max: this.stages.length - 1, step: 1 });
    this.slider.setAttribute("aria-label", this.text("slider"));
    this.slider.addEventListener("input", () => this.turn(Number(this.slider.value)));
    this.said = make("output", "", line);
    const scale = make("div", "legend", below);
    make("span", "", scale, this.text("unlike"));
    make("span", "bar", scale).style.setProperty("--scale", data.colours.sequential.join(", "));
    make("span", "", scale, this.text("same"));
    if (this.count > 1) {
      this.predict({ about: `${data.context} ${half.followed}`, question: this.text("question") });
    }
    this.slider.disabled = !this.isOpen;
    this.show();
    if (this.isOpen) this.open();
  }

  get count() {
    return this.data.rows * this.data.columns;
  }

  /** The stages at which the slider stops, those of both halves. */
  get stages() {
    const all = this.story.screens.flatMap(({ half }) => half.stages);
    return [...new Set(all)].sort((one, other) => one - other);
  }

  get at() {
    return Math.min(this.first.turned ?? this.stages.length - 1, this.stages.length - 1);
  }

  turn(at) {
    this.first.turned = at;
    this.each((screen) => screen.show());
  }

  /** The stage that is shown: the last one that this half has up to where the slider stands. */
  get shown() {
    return this.half.stages.filter((stage) => stage <= this.stages[this.at]).at(-1);
  }

  /** How alike each patch is to one patch, after a stage: the cosine of their rows. */
  alikeAfter(stage, patch) {
    return this.cosines(this.trace.get(this.half.streamName(stage)), patch, this.data.prefix_names.length);
  }

  /** How alike the pixels of each patch are to those of one patch. */
  get alikeInPixels() {
    return this.cosines(this.trace.get("patches"), this.half.followed);
  }

  cosines(rows, patch, first = 0) {
    const mine = rowOf(rows, first + patch);
    return Array.from({ length: this.count }, (_, other) => likeness(mine, rowOf(rows, first + other)));
  }

  get atTheEnd() {
    return this.alikeAfter(this.half.stages.at(-1), this.half.followed);
  }

  get best() {
    return largestOf(this.atTheEnd, this.half.followed);
  }

  choose(patch) {
    if (this.isOpen) {
      this.patches.mark("guess", null);
      this.follow(patch);
      return;
    }
    const { half, best, atTheEnd: alike } = this;
    if (patch === half.followed || this.prediction.isClosed) return;
    const rank = placeOf(alike, patch, half.followed);
    const isShown = this.prediction.settle({
      given: half.patchName(patch),
      right: half.patchName(best),
      verdict: rank === 1 ? "right" : rank <= Math.max(2, this.count / 10) ? "close" : "wrong",
      result: this.text("result", {
        best: half.patchName(best),
        likeness: alike[best].toFixed(2),
        pixels: half.patchName(largestOf(this.alikeInPixels, half.followed)),
      }),
      places: { given: patch },
    });
    if (isShown) this.each((screen) => screen.open());
    else this.patches.mark("guess", this.prediction.givenPlace);
  }

  /** Offer three patches to a class. */
  offer() {
    if (!this.isOpen) this.patches.number(placesToOffer(this.atTheEnd, this.half.followed));
  }

  showMe() {
    this.turn(this.stages.length - 1);
    this.patches.patches[this.best].cell.focus({ focusVisible: true });
  }

  open() {
    if (this.isFirst && !this.opened) {
      this.opened = true;
      this.task();
      make("p", "note", this.words, this.text("note"));
    }
    this.slider.disabled = false;
    this.patches.number([]);
    if (this.isFirst) this.patches.mark("guess", this.prediction?.answer.places?.given ?? null);
    this.show();
  }

  showFollowed() {
    this.show();
  }

  showPointed(patch) {
    this.byPixels.mark("pointed", patch);
    if (!this.isOpen || patch === null) return;
    const [pixels, model] = [this.alikeInPixels, this.alikeAfter(this.shown, this.half.followed)];
    this.say(this.text("pointed", { pixels: pixels[patch].toFixed(2), model: model[patch].toFixed(2) }));
  }

  show() {
    const { half, shown, isOpen } = this;
    for (const board of [this.byPixels, this.patches]) board.mark("followed", half.followed);
    const label = shown ? this.text("after", { block: shown }) : this.text("start");
    this.slider.value = this.at;
    setText(this.said, label);
    this.slider.setAttribute("aria-valuetext", label);
    const positive = (values) => values.map((value) => Math.max(0, value));
    this.byPixels.veil(isOpen ? positive(this.alikeInPixels) : null, 1);
    const alike = isOpen ? this.alikeAfter(shown, half.followed) : null;
    this.patches.veil(alike && positive(alike), 1);
    this.patches.mark("best", alike && this.count > 1 ? largestOf(alike, half.followed) : null);
    this.byPixels.mark("best", isOpen && this.count > 1 ? largestOf(this.alikeInPixels, half.followed) : null);
  }

  refresh() {
    this.opened = false;
    super.refresh();
  }

  leave() {
    this.stage.classList.remove("alike");
  }
}
