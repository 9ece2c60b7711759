// Screens 6 to 8: a patch asks the others, in one head, in all heads, and block after block.

const CLOSE_SHARE = 1 / 3; // of the largest, from which an answer is close

/** The name of a block's pattern. */
function patternOf(block) {
  return `blocks.${block}.attn.pattern`;
}

class AttentionScreen extends StoryScreen {
  build() {
    const { data, half, trace } = this;
    this.count = data.rows * data.columns;
    this.numPrefix = data.prefix_names.length;
    const { block, head } = half.tellingHead;
    this.weights = half.weightsOf(block, head, half.followed);
    this.best = largestOf(this.weights, half.followed);
    this.patches = this.board(this.stage, { choose: (patch) => this.choose(patch) });
    this.patches.mark("followed", half.followed);
    const note = this.text("note", { block: block + 1, head: head + 1 });
    if (this.count < 2) return;
    this.prediction = new Prediction(this, {
      about: `${data.context} ${half.followed}`,
      question: this.text("question"),
    });
    this.note = make("p", "note", this.words, note);
    if (this.prediction.isAnswered) this.reveal();
  }

  choose(patch) {
    const { half, weights, best } = this;
    if (patch === half.followed) return;
    if (this.prediction.isAnswered) return;
    const rank = placeOf(weights, patch, half.followed);
    const share = weights[patch] / weights[best];
    const verdict = share >= 1 ? "right" : share >= CLOSE_SHARE ? "close" : "wrong";
    this.prediction.settle({
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
    this.reveal();
  }

  showMe() {
    this.patches.connect(null);
    requestAnimationFrame(() => this.reveal());
    this.patches.patches[this.best].cell.focus({ focusVisible: true });
  }

  reveal() {
    const { half, weights, best, patches, prediction } = this;
    const shown = weights.slice();
    patches.veil(shown, Math.max(...shown));
    const ends = Array.from(weights, (weight, patch) => [patch, weight])
      .filter(([patch]) => patch !== half.followed)
      .sort((one, other) => other[1] - one[1])
      .slice(0, 5);
    const full = weights[best] || 1;
    patches.connect(half.followed, ends.map(([patch, weight]) => [patch, weight / full]), 9);
    patches.mark("best", best);
    patches.mark("guess", prediction.answer.places?.given ?? null);
    const { block, head } = half.tellingHead;
    const others = this.data.prefix_names.map((name, token) =>
      this.text("prefix", { name, share: percent(half.prefixWeight(block, head, half.followed, token)) }),
    );
    const itself = this.text("itself", { share: percent(weights[half.followed]) });
    const note = this.text("note", { block: block + 1, head: head + 1 });
    setText(this.note, [`${note}.`, itself, ...others].join(" "));
  }
}

class HeadsScreen extends StoryScreen {
  build() {
    const { data, stage, half } = this;
    stage.classList.add("heads");
    const left = make("div", "left", stage);
    this.patches = this.board(left, { look: (patch, byKeyboard) => this.look(patch, byKeyboard), choose: (patch) => this.choose(patch) });
    this.patches.mark("followed", half.followed);
    const block = half.tellingHead.block;
    this.block = block;
    const list = make("div", "head-maps", stage);
    list.role = "group";
    list.setAttribute("aria-label", this.text("group"));
    const count = half.headsOf(block);
    list.style.setProperty("--across", Math.ceil(Math.sqrt(count)));
    this.maps = Array.from({ length: count }, (_, head) => {
      const figure = make("figure", "", list);
      const board = make("div", "map", figure);
      board.style.setProperty("--ratio", data.image_width / data.image_height);
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

  look(patch, byKeyboard) {
    this.patches.mark("pointed", patch);
    const shown = patch ?? this.half.followed;
    this.paint(shown);
    if (byKeyboard) this.story.announce(this.describe(shown));
  }

  choose(patch) {
    this.story.follow(patch);
    this.patches.mark("followed", patch);
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
    this.maps.forEach((canvas, head) => {
      const weights = half.weightsOf(this.block, head, patch);
      const full = Math.max(...weights) || 1;
      const { context, picture } = resize(canvas, data.columns, data.rows);
      const words = new Uint32Array(picture.data.buffer);
      weights.forEach((weight, at) => {
        const share = weight / full;
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
    const { data, stage, half, story } = this;
    stage.classList.add("blocks");
    this.stages = half.stages;
    this.at ??= 0;
    const left = make("div", "left", stage);
    this.patches = this.board(left, {
      choose: (patch) => {
        story.follow(patch);
        this.show(this.at);
      },
    });
    const below = make("div", "below", stage);
    const line = make("div", "scrub", below);
    this.player = this.button(line, "play", () => this.play());
    this.slider = make("input", "", line);
    Object.assign(this.slider, { type: "range", min: 0, max: this.stages.length - 1, step: 1 });
    this.slider.setAttribute("aria-label", this.text("slider"));
    this.slider.addEventListener("input", () => {
      this.pause();
      this.show(Number(this.slider.value));
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
    this.show(this.at);
  }

  show(at) {
    const { data, half, trace } = this;
    this.at = at;
    const stage = this.stages[at];
    this.slider.value = at;
    const label = stage ? this.text("after", { block: stage }) : this.text("start");
    setText(this.said, label);
    this.slider.setAttribute("aria-valuetext", label);
    const rows = trace.get(half.streamName(stage));
    const numPrefix = data.prefix_names.length;
    const mine = rowOf(rows, numPrefix + half.followed);
    this.patches.mark("followed", half.followed);
    this.patches.veil(
      Array.from({ length: data.rows * data.columns }, (_, patch) =>
        Math.max(0, likeness(mine, rowOf(rows, numPrefix + patch))),
      ),
      1,
    );
    paintRow(this.row, mine, half.look);
  }

  play() {
    if (this.timer) {
      this.pause();
      return;
    }
    if (this.at === this.stages.length - 1) this.show(0);
    setText(this.player, this.text("pause"));
    this.timer = setInterval(() => {
      if (this.at < this.stages.length - 1) this.show(this.at + 1);
      if (this.at === this.stages.length - 1) this.pause();
    }, 900);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    setText(this.player, this.text("play"));
  }

  leave() {
    clearInterval(this.timer);
    this.timer = null;
    this.stage.classList.remove("blocks");
  }
}
