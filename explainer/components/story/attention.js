// Screens 6 to 8: a patch asks the others, in one head, in all heads, and block after block.

const CLOSE_SHARE = 1 / 3; // of the largest, from which an answer is close

/** The name of a block's pattern. */
function patternOf(block) {
  return `blocks.${block}.attn.pattern`;
}

class AttentionScreen extends StoryScreen {
  build() {
    const { data, half } = this;
    this.count = data.rows * data.columns;
    this.best = largestOf(this.weights, half.followed);
    this.patches = this.board(this.stage, {
      choose: (patch) => this.first.choose(half.patchIn(this.first.half, patch)),
    });
    this.patches.mark("followed", half.followed);
    if (this.count < 2) return;
    this.predict({
      about: `${data.context} ${half.followed}`,
      question: this.text("question"),
    });
    this.note = make("p", "note", this.words);
    this.write([this.nameOfHead]);
    if (this.isOpen) this.reveal();
  }

  /** Where the followed patch looks, in the head that is shown: a weight for each patch. */
  get weights() {
    const { half } = this;
    const { block, head } = half.tellingHead;
    return half.weightsOf(block, head, half.followed);
  }

  /** The weight that has the full colour: the largest on another patch. */
  get fullWeight() {
    const { weights, half } = this;
    return weights[largestOf(weights, half.followed)] ?? 0;
  }

  get nameOfHead() {
    const { block, head } = this.half.tellingHead;
    return this.text("note", { block: block + 1, head: head + 1 });
  }

  /** Write what holds of this half: beside its picture if there is another half. */
  write(sentences) {
    const text = sentences.join(" ");
    setText(this.note, this.story.halves.isCompared ? "" : text);
    this.say(text);
  }

  choose(patch) {
    const { half, weights, best } = this;
    if (patch === half.followed || this.isOpen || this.prediction.isClosed) return;
    const rank = placeOf(weights, patch, half.followed);
    const share = weights[patch] / weights[best];
    const verdict = share >= 1 ? "right" : share >= CLOSE_SHARE ? "close" : "wrong";
    const isShown = this.prediction.settle({
      given: half.patchName(patch),
      right: half.patchName(best),
      verdict,
      result: this.text(patch === best ? "result_right" : "result", {
        best: half.patchName(best),
        best_share: percent(weights[best]),
        share: percent(weights[patch]),
        rank,
        count: this.count - 1,
      }),
      places: { given: patch },
    });
    if (!isShown) {
      this.patches.mark("guess", this.prediction.givenPlace);
      return;
    }
    this.each((screen) => screen.reveal());
  }

  showMe() {
    this.each(({ patches }) => patches.connect(null));
    requestAnimationFrame(() => this.each((screen) => screen.reveal()));
    this.patches.patches[this.best].cell.focus({ focusVisible: true });
  }

  /** Offer three patches to a class. */
  offer() {
    if (!this.isOpen) this.patches.number(placesToOffer(this.weights, this.half.followed));
  }

  reveal() {
    const { half, weights, best, patches, count } = this;
    if (count < 2) return;
    patches.number([]);
    patches.veil(weights, this.common((screen) => Math.max(...screen.weights)));
    const ends = Array.from(weights, (weight, patch) => [patch, weight])
      .filter(([patch]) => patch !== half.followed)
      .sort((one, other) => other[1] - one[1])
      .slice(0, 5);
    const full = this.common((screen) => screen.fullWeight) || 1;
    patches.connect(half.followed, ends.map(([patch, weight]) => [patch, weight / full]), 9);
    patches.mark("best", best);
    if (this.isFirst) patches.mark("guess", this.prediction?.answer.places?.given ?? null);
    const { block, head } = half.tellingHead;
    const others = this.data.prefix_names.map((name, token) =>
      this.text("prefix", { name, share: percent(half.prefixWeight(block, head, half.followed, token)) }),
    );
    const itself = this.text("itself", { share: percent(weights[half.followed]) });
    this.write([`${this.nameOfHead}.`, itself, ...others]);
  }
}

class HeadsScreen extends StoryScreen {
  build() {
    const { data, stage, half } = this;
    stage.classList.add("heads");
    const left = make("div", "left", stage);
    this.patches = this.board(left, { choose: (patch) => this.follow(patch) });
    this.patches.mark("followed", half.followed);
    this.block = half.tellingHead.block;
    const list = make("div", "head-maps", stage);
    list.role = "group";
    list.setAttribute("aria-label", this.text("group"));
    const count = half.headsOf(this.block);
    list.style.setProperty("--across", Math.ceil(Math.sqrt(count)));
    list.style.setProperty("--beside", Math.min(count, 6));
    this.maps = Array.from({ length: count }, (_, head) => {
      const figure = make("figure", "", list);
      const board = make("div", "map", figure);
      board.style.setProperty("--ratio", data.image_width / data.image_height);
      board.dataset.grid = `${data.rows} ${data.columns}`;
      const image = make("canvas", "under", board);
      image.ariaHidden = "true";
      paintPixels(image, data);
      const veil = this.canvas(board, "pixelated over-map", this.text("head", { head: head + 1 }));
      make("figcaption", "", figure, this.text("head", { head: head + 1 }));
      return veil;
    });
    this.task();
    this.paint(half.followed);
  }

  showPointed(patch, byKeyboard) {
    const shown = patch ?? this.half.followed;
    this.paint(shown);
    if (byKeyboard) this.story.announce(this.describe(shown));
  }

  /** The largest weight in a head, of a patch at this place of the first half; 0 without this head. */
  largestWeight(head, patch) {
    const { half, first } = this;
    const { block = half.tellingHead.block } = this;
    if (head >= half.headsOf(block)) return 0;
    return Math.max(...half.weightsOf(block, head, first.half.patchIn(half, patch)));
  }

  describe(patch) {
    return this.maps
      .map((_, head) => {
        const weights = this.half.weightsOf(this.block, head, patch);
        const best = largestOf(weights);
        const values = { best: this.half.patchName(best), share: percent(weights[best]) };
        return `${this.text("head", { head: head + 1 })} ${this.text("looks", values)}`;
      })
      .join("; ");
  }

  paint(patch) {
    const { data, half } = this;
    const shared = half.patchIn(this.first.half, patch);
    this.maps.forEach((canvas, head) => {
      const weights = half.weightsOf(this.block, head, patch);
      const full = this.common((screen) => screen.largestWeight(head, shared)) || 1;
      const { context, picture } = resize(canvas, data.columns, data.rows);
      const words = new Uint32Array(picture.data.buffer);
      weights.forEach((weight, at) => {
        const share = Math.min(1, weight / full);
        const alpha = Math.round(255 * (0.62 + 0.3 * share));
        words[at] = (half.look.weights[Math.round(255 * share)] & 0xffffff) | (alpha << 24);
      });
      context.putImageData(picture, 0, 0);
    });
  }

  leave() {
    this.stage.classList.remove("heads");
  }
}

class BlocksScreen extends StoryScreen {
  build() {
    const { data, stage } = this;
    stage.classList.add("blocks");
    const left = make("div", "left", stage);
    this.patches = this.board(left, {
      choose: (patch) => this.follow(patch),
    });
    const below = make("div", "below", stage);
    const line = make("div", "scrub", below);
    this.player = this.button(line, "play", () => this.first.play());
    this.slider = make("input", "", line);
    Object.assign(this.slider, { type: "range", min: 0, max: this.stages.length - 1, step: 1 });
    this.slider.setAttribute("aria-label", this.text("slider"));
    this.slider.addEventListener("input", () => {
      this.first.pause();
      this.turn(Number(this.slider.value));
    });
    this.said = make("output", "", line);
    const strip = make("div", "labelled", below);
    make("span", "caption", strip, this.text("row"));
    this.row = this.canvas(strip, "row-strip tall", this.text("row"));
    const scale = make("div", "legend", below);
    make("span", "", scale, this.text("likeness"));
    make("span", "bar", scale).style.setProperty("--scale", data.colours.sequential.join(", "));
    make("span", "", scale, this.text("alike"));
    this.task();
    this.showFollowed();
  }

  /** The stages at which the slider stops, those of both halves. */
  get stages() {
    const all = this.story.screens.flatMap(({ half }) => half.stages);
    return [...new Set(all)].sort((one, other) => one - other);
  }

  /** Where the slider stands, in both halves. */
  get at() {
    return Math.min(this.first.turned ?? 0, this.stages.length - 1);
  }

  turn(at) {
    this.first.turned = at;
    this.each((screen) => screen.show());
  }

  /** The stage that is shown: the last one that this half has up to where the slider stands. */
  get shown() {
    const asked = this.stages[this.at];
    return this.half.stages.filter((stage) => stage <= asked).at(-1);
  }

  get stageName() {
    return this.shown ? this.text("after", { block: this.shown }) : this.text("start");
  }

  get patchRow() {
    const { half } = this;
    const rows = this.trace.get(half.streamName(this.shown));
    return rowOf(rows, this.data.prefix_names.length + half.followed);
  }

  /** How alike each patch's row is to the followed patch's; at least 0. */
  get alike() {
    const { data, half, patchRow } = this;
    const rows = this.trace.get(half.streamName(this.shown));
    return Array.from({ length: data.rows * data.columns }, (_, patch) =>
      Math.max(0, likeness(patchRow, rowOf(rows, data.prefix_names.length + patch))),
    );
  }

  showFollowed() {
    super.showFollowed();
    this.show();
  }

  show() {
    const label = this.stageName;
    this.slider.value = this.at;
    setText(this.said, label);
    this.slider.setAttribute("aria-valuetext", label);
    this.patches.veil(this.alike, 1);
    paintRow(this.row, this.patchRow, this.half.look, this.common((screen) => fullAt(screen.patchRow)));
  }

  play() {
    if (this.timer) {
      this.pause();
      return;
    }
    if (this.at === this.stages.length - 1) this.turn(0);
    this.each(({ player }) => setText(player, this.text("pause")));
    this.timer = setInterval(() => {
      if (this.at < this.stages.length - 1) this.turn(this.at + 1);
      if (this.at === this.stages.length - 1) this.pause();
    }, 900);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.each(({ player }) => setText(player, this.text("play")));
  }

  leave() {
    clearInterval(this.timer);
    this.timer = null;
    this.stage.classList.remove("blocks");
  }
}
