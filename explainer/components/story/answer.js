// Screens 9 and 10: what the model says, and would have said earlier; and how to make it say something else.

class AnswerScreen extends StoryScreen {
  build() {
    if (this.data.has_head) this.buildLens();
    else this.buildFeatures();
  }

  // a model without a head: which patches have become alike

  buildFeatures() {
    const { half, story, trace, data } = this;
    const rows = trace.get("final_norm");
    const numPrefix = data.prefix_names.length;
    this.patches = this.board(this.stage, {
      look: (patch) => show(patch ?? half.followed),
      choose: (patch) => {
        story.follow(patch);
        this.patches.mark("followed", patch);
      },
    });
    this.patches.mark("followed", half.followed);
    const show = (patch) => {
      this.patches.mark("pointed", patch);
      const mine = rowOf(rows, numPrefix + patch);
      const alike = Array.from({ length: data.rows * data.columns }, (_, other) =>
        Math.max(0, likeness(mine, rowOf(rows, numPrefix + other))),
      );
      this.patches.veil(alike, 1);
    };
    show(half.followed);
    this.task("task_point");
  }

  // the logit lens

  buildLens() {
    const { data, stage } = this;
    stage.classList.add("lens");
    const classes = data.class_names.length;
    this.shares = Array.from({ length: data.depth + 1 }, (_, at) =>
      data.arrays.lens.subarray(at * classes, (at + 1) * classes),
    );
    this.answer = largestOf(this.shares.at(-1));
    this.firstStage = data.pool === "cls" ? 1 : 0; // before block 1 a class token knows nothing
    this.settled = this.settledAt();
    const hasQuestion = data.depth + 1 - this.firstStage > 1;
    if (hasQuestion) {
      this.prediction = new Prediction(this, {
        about: data.context,
        question: this.text("question"),
      });
    }
    this.buildStages(stage, hasQuestion);
    if (!hasQuestion) {
      make("p", "task", this.words, this.text("task_one_stage"));
      this.reveal();
    } else if (this.prediction.isAnswered) this.reveal();
  }

  /** The stage from which on the answer stays. */
  settledAt() {
    let at = this.shares.length - 1;
    while (at > this.firstStage && largestOf(this.shares[at - 1]) === this.answer) at--;
    return at;
  }

  buildStages(parent) {
    const { data } = this;
    const names = barsOf(this.shares.at(-1)).map((index) => ({ index, name: data.class_names[index] }));
    const table = make("div", "stages", parent);
    table.role = "group";
    table.setAttribute("aria-label", this.text("stages"));
    table.style.setProperty("--names", names.length);
    table.classList.toggle("named", names.some(({ name }) => name.length > 2));
    const head = make("div", "stage-row head", table);
    head.ariaHidden = "true";
    make("span", "", head);
    for (const { name } of names) make("span", "name", head, name);
    make("span", "", head);
    this.rows = this.shares.map((shares, at) => {
      const row = make("button", "stage-row", table);
      row.type = "button";
      const label = this.stageName(at);
      make("span", "label", row, label);
      const cells = names.map(({ index }) => ({ cell: make("i", "", row), index }));
      const said = make("span", "said", row);
      row.setAttribute("aria-label", `${label}: ${this.text("hidden")}`);
      row.addEventListener("click", () => this.choose(at));
      row.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        this.rows[Math.max(0, Math.min(this.rows.length - 1, at + step))].row.focus();
      });
      return { row, cells, said, label };
    });
  }

  stageName(at) {
    const { data } = this;
    const blocks = data.screens.find(({ name }) => name === "blocks");
    return at ? fill(blocks.after, { block: at }) : blocks.start;
  }

  choose(at) {
    if (!this.prediction || this.prediction.isAnswered || at < this.firstStage) return;
    const { settled, data } = this;
    const given = this.stageName(at);
    const right = this.stageName(settled);
    const answer = data.class_names[this.answer];
    this.prediction.settle({
      given,
      right,
      verdict: at === settled ? "right" : Math.abs(at - settled) === 1 ? "close" : "wrong",
      result: this.text("result", { answer, stage: right }),
      places: { given: at },
    });
    this.reveal();
  }

  showMe() {
    this.rows[this.settled].row.focus({ focusVisible: true });
    this.reveal();
  }

  reveal() {
    const { half, data, rows, shares } = this;
    rows.forEach(({ row, cells, said, label }, at) => {
      const best = largestOf(shares[at]);
      for (const { cell, index } of cells) {
        const share = shares[at][index];
        cell.style.background = colourOf(half.look.weights[Math.round(255 * share)]);
        cell.style.transitionDelay = `${at * 90}ms`;
      }
      const values = { name: data.class_names[best], share: percent(shares[at][best]) };
      setText(said, this.text("said", values));
      row.setAttribute("aria-label", this.text("stage", { stage: label, ...values }));
      row.classList.toggle("settled", at === this.settled);
      row.classList.toggle("guess", at === this.prediction?.answer?.places?.given);
      row.classList.add("open");
    });
    this.note ??= make("p", "note", this.words, this.text("note"));
  }

  leave() {
    this.stage.classList.remove("lens");
    this.note = null;
  }

  refresh() {
    this.leave();
    super.refresh();
  }
}

class CoverScreen extends StoryScreen {
  build() {
    const { data, stage } = this;
    stage.classList.add("beside");
    this.count = data.rows * data.columns;
    this.how = data.is_digits ? "black" : "mean";
    this.covered = new Set();
    this.before = outcomeOf(this.trace);
    this.answer = data.has_head ? largestOf(this.before) : -1;
    this.patches = this.board(make("div", "left", stage), { choose: (patch) => this.choose(patch) });
    this.right = make("div", "right", stage);
    this.shares = this.bars(this.right);
    this.shares.show(this.before);
    // each patch has to be covered alone, which is too much to ask a server for
    if (this.count > 1 && this.half.hasLive) {
      this.prediction = new Prediction(this, { about: data.context, question: this.text("question") });
    }
    if (!this.prediction || this.prediction.isAnswered) this.open();
  }

  /** How much of the answer is left: its share, or without a head the likeness of the features. */
  left(outcome) {
    return this.answer < 0 ? likeness(this.before, outcome) : outcome[this.answer];
  }

  write(left) {
    return this.answer < 0 ? left.toFixed(3) : precisePercent(left);
  }

  choose(patch) {
    if (this.prediction && !this.prediction.isAnswered) this.predict(patch);
    else this.toggle(patch);
  }

  /** Cover each patch alone, one after another: which one was needed most? */
  async measure() {
    const { half, story } = this;
    const key = `${this.data.context} alone`;
    if (half.measured.has(key)) return half.measured.get(key);
    const left = [];
    for (let patch = 0; patch < this.count; patch++) {
      const outcome = await half.outcome({ cover: { [patch]: this.how } });
      if (!outcome || !this.isShown) return null;
      left.push(this.left(outcome));
      setText(story.quiet, this.text("asked", { done: patch + 1, count: this.count }));
    }
    half.measured.set(key, left);
    return left;
  }

  async predict(patch) {
    const { half, story } = this;
    this.patches.mark("guess", patch);
    const left = await this.measure();
    if (!this.isShown) return;
    setText(story.quiet, "");
    if (!left || this.prediction.isAnswered) return;
    const lost = left.map((share) => -share);
    const best = largestOf(lost);
    const rank = placeOf(lost, patch);
    const full = this.left(this.before);
    const share = (full - left[patch]) / Math.max(full - left[best], Number.MIN_VALUE);
    this.prediction.settle({
      given: half.patchName(patch),
      right: half.patchName(best),
      verdict: left[patch] <= left[best] ? "right" : share >= CLOSE_SHARE ? "close" : "wrong",
      result: this.text(patch === best ? "result_right" : "result", {
        best: half.patchName(best),
        best_share: this.write(left[best]),
        share: this.write(left[patch]),
        rank,
        count: this.count,
      }),
      places: { given: patch, left },
    });
    this.open();
    this.showNeeded(left, best);
  }

  async showMe() {
    const left = this.prediction.answer.places?.left ?? (await this.measure());
    if (!left) return;
    const best = largestOf(left.map((share) => -share));
    this.showNeeded(left, best);
    this.patches.patches[best].cell.focus({ focusVisible: true });
  }

  showNeeded(left, best) {
    const full = this.left(this.before);
    const lost = left.map((share) => Math.max(0, full - share));
    this.patches.veil(lost, Math.max(...lost) || 1);
    this.patches.mark("best", best);
    setText(this.legend, this.text("needed"));
  }

  open() {
    this.patches.mark("guess", this.prediction?.answer.places?.given ?? null);
    this.task();
    this.legend = make("p", "note", this.words);
    this.tools = make("div", "tools", this.words);
    this.button(this.tools, "uncover", () => {
      this.covered.clear();
      this.apply();
    });
    this.said = make("p", "result", this.words);
    this.said.role = "status";
  }

  toggle(patch) {
    if (!this.covered.delete(patch)) this.covered.add(patch);
    this.apply();
  }

  async apply() {
    const { half, covered, how } = this;
    this.patches.veil(null);
    setText(this.legend, "");
    this.patches.cover(covered);
    const cover = Object.fromEntries(Array.from(covered, (patch) => [patch, how]));
    const outcome = await half.outcome({ cover });
    if (!outcome || !this.isShown || covered !== this.covered) return;
    this.shares.show(outcome);
    const count = covered.size;
    if (this.answer < 0) {
      setText(this.said, `${this.text("likeness")}: ${this.write(this.left(outcome))}`);
      return;
    }
    const now = largestOf(outcome);
    const names = this.data.class_names;
    const values = { count, old: names[this.answer], new: names[now] };
    const isFooled = now !== this.answer;
    setText(this.said, this.text(isFooled ? "fooled" : "covered", values));
    this.said.classList.toggle("won", isFooled);
  }

  leave() {
    this.stage.classList.remove("beside");
    setText(this.story.quiet, "");
  }

  refresh() {
    this.leave();
    super.refresh();
  }
}
