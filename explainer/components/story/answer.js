// Screens 9 and 10: what the model says, and would have said earlier; and how to make it say something else.

class AnswerScreen extends StoryScreen {
  build() {
    if (this.data.has_head) this.buildLens();
    else this.buildFeatures();
  }

  // a model without a head: which patches have become alike

  buildFeatures() {
    this.patches = this.board(this.stage, {
      choose: (patch) => this.follow(patch),
      point: (patch, byKeyboard) => this.pointAt(patch, byKeyboard),
    });
    this.showFollowed();
    this.showPointed(null);
    this.task("task_point");
  }

  showPointed(patch) {
    if (!this.data.has_head) this.patches.veil(this.alike(patch ?? this.half.followed), 1);
  }

  /** How alike each patch's row is to one patch's, at the end; at least 0. */
  alike(patch) {
    const { data } = this;
    const rows = this.trace.get("final_norm");
    const numPrefix = data.prefix_names.length;
    const mine = rowOf(rows, numPrefix + patch);
    return Array.from({ length: data.rows * data.columns }, (_, other) =>
      Math.max(0, likeness(mine, rowOf(rows, numPrefix + other))),
    );
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
      this.predict({
        about: data.context,
        question: this.text("question"),
        stages: this.shares.map((_, at) => this.stageName(at)).slice(this.firstStage),
      });
    }
    this.buildStages(stage);
    if (!hasQuestion) make("p", "task", this.words, this.text("task_one_stage"));
    if (this.isOpen) this.reveal();
  }

  /** The stage from which on the answer stays. */
  settledAt() {
    let at = this.shares.length - 1;
    while (at > this.firstStage && largestOf(this.shares[at - 1]) === this.answer) at--;
    return at;
  }

  buildStages(parent) {
    this.rows = this.stageTable(parent, barsOf(this.shares.at(-1)), "button");
    this.rows.forEach(({ row, label }, at) => {
      row.type = "button";
      if (!this.isOpen && at >= this.firstStage) row.dataset.choice = at;
      row.setAttribute("aria-label", `${label}: ${this.text("hidden")}`);
      row.addEventListener("click", () => this.first.choose?.(at));
      row.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        this.rows[Math.max(0, Math.min(this.rows.length - 1, at + step))].row.focus();
      });
    });
  }

  /** A row for each stage and a cell for each shown name, without colours yet. */
  stageTable(parent, shown, tag) {
    const { data } = this;
    const names = shown.map((index) => ({ index, name: data.class_names[index] }));
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
    return this.shares.map((_, at) => {
      const row = make(tag, "stage-row", table);
      const label = this.stageName(at);
      make("span", "label", row, label);
      const cells = names.map(({ index }) => ({ cell: make("i", "", row), index }));
      const said = make("span", "said", row);
      return { row, cells, said, label };
    });
  }

  stageName(at) {
    const { data } = this;
    const blocks = data.screens.find(({ name }) => name === "blocks");
    return at ? fill(blocks.after, { block: at }) : blocks.start;
  }

  choose(at) {
    if (this.isOpen || this.prediction.isClosed || at < this.firstStage || at >= this.shares.length) return;
    const { settled, data } = this;
    const given = this.stageName(at);
    const right = this.stageName(settled);
    const answer = data.class_names[this.answer];
    const isShown = this.prediction.settle({
      given,
      right,
      verdict: at === settled ? "right" : Math.abs(at - settled) === 1 ? "close" : "wrong",
      result: this.text("result", { answer, stage: right }),
      places: { given: at },
    });
    if (isShown) this.each((screen) => screen.reveal());
  }

  showMe() {
    this.rows[this.settled].row.focus({ focusVisible: true });
    this.each((screen) => screen.reveal());
  }

  reveal() {
    const { half, data, rows, shares } = this;
    if (!data.has_head) return;
    rows.forEach(({ row, cells, said, label }, at) => {
      delete row.dataset.choice;
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
      row.classList.toggle("guess", this.isFirst && at === this.prediction?.answer?.places?.given);
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

const MOST_OFFERED = 100; // patches that are all covered in turn before anybody has asked for it

class CoverScreen extends StoryScreen {
  build() {
    const { data, stage, half } = this;
    stage.classList.add("beside");
    this.count = data.rows * data.columns;
    this.how = data.takes_drawings ? "black" : "mean";
    this.covered = new Set();
    this.before = outcomeOf(this.trace);
    this.answer = data.has_head ? largestOf(this.before) : -1;
    this.patches = this.board(make("div", "left", stage), { choose: (patch) => this.choose(patch) });
    this.right = make("div", "right", stage);
    this.shares = this.bars(this.right);
    this.showOutcome(this.before);
    // each patch has to be covered alone, which is too much to ask a server for
    if (this.isFirst && this.count > 1 && half.hasLive) {
      this.predict({ about: data.context, question: this.text("question") });
    }
    this.prediction ??= this.first.prediction;
    if (!this.canCover) this.say(this.text("other_patches"));
    if (this.isOpen) this.open();
  }

  /** How much of the answer is left: its share, or without a head the likeness of the features. */
  left(outcome) {
    return this.answer < 0 ? likeness(this.before, outcome) : outcome[this.answer];
  }

  write(left) {
    return this.answer < 0 ? left.toFixed(3) : precisePercent(left);
  }

  /** Whether what covers patches of the first half covers whole patches of this one. */
  get canCover() {
    const [mine, first] = [this.data, this.first.data];
    return mine.rows % first.rows === 0 && mine.columns % first.columns === 0;
  }

  /** The patches of this half that lie where one of the first half does. */
  patchesAt(patch) {
    const { half, first, count } = this;
    const all = Array.from({ length: count }, (_, other) => other);
    return this.canCover ? all.filter((other) => half.patchIn(first.half, other) === patch) : [];
  }

  choose(patch) {
    const { first, half } = this;
    const there = half.patchIn(first.half, patch);
    if (first.isOpen) first.toggle(there);
    else first.guess(there);
  }

  /** Cover each patch alone, one after another: which one was needed most? */
  async measure() {
    const { half, story } = this;
    const key = `${this.data.context} alone`;
    if (half.measured.has(key)) return half.measured.get(key);
    const left = [];
    for (let patch = 0; patch < this.count; patch++) {
      const outcome = await half.outcome({ cover: { [patch]: this.how } });
      // what is covered by hand comes first
      if (!outcome || !this.isShown || this.first.covered.size) return null;
      left.push(this.left(outcome));
      if (this.isFirst) setText(story.quiet, this.text("asked", { done: patch + 1, count: this.count }));
    }
    half.measured.set(key, left);
    return left;
  }

  /** Offer three patches to a class, one of them the most needed. */
  async offer() {
    if (this.isOpen || this.count > MOST_OFFERED) return;
    const left = await this.measure();
    if (!this.isShown) return;
    setText(this.story.quiet, "");
    if (left && !this.isOpen) this.patches.number(placesToOffer(left.map((share) => -share)));
  }

  async guess(patch) {
    const { half, story } = this;
    if (this.prediction.isClosed) return;
    this.prediction.vote(patch);
    this.patches.mark("guess", patch);
    const left = await this.measure();
    if (!this.isShown) return;
    setText(story.quiet, "");
    if (!left || this.prediction.isClosed) return;
    const lost = left.map((share) => -share);
    const best = largestOf(lost);
    const rank = placeOf(lost, patch);
    const full = this.left(this.before);
    const share = (full - left[patch]) / Math.max(full - left[best], Number.MIN_VALUE);
    const isShown = this.prediction.settle({
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
    if (!isShown) {
      this.patches.mark("guess", this.prediction.givenPlace);
      return;
    }
    this.each((screen) => screen.open());
    await this.showNeeded();
  }

  async showMe() {
    const best = await this.showNeeded();
    if (best !== null) this.patches.patches[best].cell.focus({ focusVisible: true });
  }

  /** Show in both halves what each patch is worth, and return the first half's dearest one. */
  async showNeeded() {
    const known = this.prediction?.answer?.places?.left;
    const lost = new Map();
    for (const screen of this.story.screens) {
      if (!screen.half.hasLive || screen.count < 2) continue;
      const left = (screen.isFirst && known) || (await screen.measure());
      if (!left || !this.isShown || this.covered.size) break;
      const full = screen.left(screen.before);
      lost.set(screen, left.map((share) => Math.max(0, full - share)));
      const most = Math.max(...Array.from(lost.values()).flat()) || 1;
      for (const [measured, values] of lost) {
        measured.patches.veil(values, most);
        measured.patches.mark("best", largestOf(values));
      }
      setText(this.legend, this.text("needed"));
    }
    return lost.has(this) ? largestOf(lost.get(this)) : null;
  }

  open() {
    this.patches.number([]);
    if (this.isFirst) this.patches.mark("guess", this.prediction?.answer.places?.given ?? null);
    this.task();
    this.legend = make("p", "note", this.words);
    this.tools = make("div", "tools", this.words);
    this.button(this.tools, "uncover", () => {
      this.covered.clear();
      this.each((screen) => screen.apply());
    });
    if (this.isFirst) this.linkToPlay();
    this.result = make("p", "result", this.words);
    this.result.role = "status";
  }

  /** Lead to the page on which more than this can be tried, with the patches that are covered. */
  linkToPlay() {
    this.play ??= make("a", "play", null, this.text("play"));
    this.tools.append(this.play);
    this.play.dataset.view = "fool";
    const letter = this.how === "black" ? "k" : "m";
    this.play.dataset.edits = Array.from(this.covered, (patch) => letter + patch).join("_");
    const address = this.story.addressOfPage("fool");
    const edits = this.play.dataset.edits && `${address.includes("?") ? "&" : "?"}edits=${this.play.dataset.edits}`;
    this.play.href = address + edits;
  }

  toggle(patch) {
    if (!this.covered.delete(patch)) this.covered.add(patch);
    this.each((screen) => screen.apply());
  }

  /** Cover in this half what is covered in the first, and show what the model says then. */
  async apply() {
    const { half, first, how } = this;
    if (this.isFirst) this.linkToPlay();
    const mine = new Set(Array.from(first.covered).flatMap((patch) => this.patchesAt(patch)));
    this.patches.veil(null);
    setText(this.legend, "");
    this.patches.cover(mine);
    const { covered } = first;
    const cover = Object.fromEntries(Array.from(mine, (patch) => [patch, how]));
    const outcome = await half.outcome({ cover });
    if (!outcome || !this.isShown || covered !== first.covered) return;
    this.showOutcome(outcome);
    if (this.canCover) this.report(covered.size, outcome);
  }

  /** Say what the model answers with so many patches covered. */
  report(count, outcome) {
    const names = this.data.class_names;
    let [text, isFooled] = [`${this.text("likeness")}: ${this.write(this.left(outcome))}`, false];
    if (this.answer >= 0) {
      const now = largestOf(outcome);
      isFooled = now !== this.answer;
      const values = { count, old: names[this.answer], new: names[now] };
      text = this.text(isFooled ? "fooled" : "covered", values);
    }
    const { isCompared } = this.story.halves;
    setText(this.result, isCompared ? "" : text);
    this.result.classList.toggle("won", isFooled);
    this.say(text);
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
