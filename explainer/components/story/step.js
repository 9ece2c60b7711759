// Screen 12: one real step of learning on this picture, with a learning rate that is chosen.

const STEP_LITTLE = 0.02; // nats that have next to nothing to teach

class StepScreen extends StoryScreen {
  build() {
    const { data, stage, half } = this;
    stage.classList.add("beside", "step");
    this.patches = this.board(make("div", "left", stage));
    this.right = make("div", "right", stage);
    if (!data.can_learn) {
      this.shares = this.bars(this.right);
      this.showOutcome(outcomeOf(this.trace));
      return;
    }
    this.lesson = half.lesson;
    const { target, isOther, loss } = this.lesson;
    this.right.classList.add("two");
    const name = data.class_names[target];
    this.caption("before", { name, loss: written(loss) });
    this.before = this.bars(this.right);
    this.before.show(half.outcomes, { truth: this.truth });
    this.results = [{ caption: this.data.frame.bars, outcome: half.outcomes }];
    if (this.isFirst && isOther) make("p", "task", this.words, this.text("other", { name }));
    if (!loss) {
      if (this.isFirst) make("p", "result", this.words, this.text("nothing"));
      return;
    }
    this.predict({
      about: half.lessonName,
      question: this.text("question"),
      options: this.texts.options,
    });
    if (this.isOpen) this.open();
  }

  /** The first half that can take a step: it asks, and has the buttons. */
  get first() {
    const { screens } = this.story;
    return screens.find(({ data }) => data.can_learn) ?? screens[0];
  }

  get words() {
    return this.isFirst ? this.story.words : this.unseen;
  }

  set words(words) {
    this.unseen = words;
  }

  /** The taught name is marked, unless it is another one than the picture's. */
  get truth() {
    return this.lesson.isOther ? -1 : this.lesson.target;
  }

  caption(name, values) {
    return make("p", "caption", this.right, this.text(name, values));
  }

  /** What the server says of a step; null if it says nothing, or another screen is shown meanwhile. */
  async learned() {
    const { quiet } = this.story;
    setText(quiet, this.text("waiting"));
    quiet.classList.remove("failed");
    try {
      const found = await this.half.step();
      if (!found || !this.isShown) return null;
      setText(quiet, "");
      return found;
    } catch {
      if (!this.isShown) return null;
      setText(quiet, this.text("failed"));
      quiet.classList.add("failed");
      return null;
    }
  }

  async predicted(index) {
    const found = await this.learned();
    if (!found || !this.isShown || this.prediction.isClosed) return;
    const { options } = this.prediction;
    const before = written(found.before);
    const { large, right, small } = found.steps;
    const last = right ?? small;
    let result;
    if (!large) result = this.text("result_never", { rate: last.rate, before, after: written(last.loss) });
    else if (large.loss === null) result = this.text("result_broken", { rate: large.rate });
    else result = this.text("result", { rate: large.rate, before, after: written(large.loss) });
    const isShown = this.prediction.settle({ given: options[index], right: options[large ? 2 : right ? 0 : 1], result });
    this.zone = large ? "large" : right ? "right" : "small"; // what was asked about is shown at once
    if (!isShown) return;
    this.each((screen) => screen.open());
  }

  /** The experiment: a step of each length. */
  async open() {
    if (!this.before || this.tools) return;
    if (this.isFirst) {
      this.task();
      this.tools = make("div", "toggle rates", this.words);
      this.tools.role = "group";
      this.tools.setAttribute("aria-label", this.text("choose"));
    } else if (!this.first.tools) return;
    else this.tools = make("div");
    const found = this.half.knownStep ?? (await this.learned()); // what is known is drawn at once
    if (!found) return;
    this.found = found;
    for (const zone of Object.keys(found.steps)) {
      const button = make("button", "quiet", this.tools, this.texts[zone]);
      button.type = "button";
      button.zone = zone;
      button.addEventListener("click", () => this.each((screen) => screen.take(zone)));
    }
    this.story.present?.offer();
    if (this.first.zone) this.take(this.first.zone);
  }

  /** Take one step and show what the model says then. */
  take(zone) {
    this.zone = zone;
    const step = this.found?.steps[zone];
    for (const button of this.tools?.children ?? []) button.setAttribute("aria-pressed", button.zone === zone);
    if (!this.found) return;
    if (!step) {
      if (this.afterSaid) setText(this.afterSaid, "");
      this.after?.show(this.half.outcomes.map(() => 0), { truth: this.truth });
      this.results.splice(1);
      this.say(this.text("missing"));
      this.story.halves.changed();
      return;
    }
    this.say(this.texts.half ? this.text("half") : "");
    const { target } = this.lesson;
    const { rate, loss, shares } = step;
    const name = this.data.class_names[target];
    if (!this.afterSaid) {
      this.afterSaid = this.caption("after", { rate, name, loss: "" });
      this.afterSaid.role = "status";
    }
    this.after ??= this.bars(this.right);
    if (!shares) {
      setText(this.afterSaid, this.text("broken", { rate }));
      this.after.show(this.half.outcomes.map(() => 0), { truth: this.truth });
      this.results.splice(1);
    } else {
      setText(this.afterSaid, this.text("after", { rate, name, loss: written(loss) }));
      this.after.show(shares, { truth: this.truth });
      this.results[1] = { caption: this.afterSaid.textContent, outcome: shares };
    }
    this.story.halves.changed();
  }

  refresh() {
    this.before = this.after = this.afterSaid = this.tools = this.found = null;
    super.refresh();
  }

  leave() {
    this.stage.classList.remove("beside", "step");
  }
}
