// Screen 12: one real step of learning on this picture, with a learning rate that is chosen.

const STEP_LITTLE = 0.02; // nats that have next to nothing to teach

class StepScreen extends StoryScreen {
  build() {
    const { data, stage, half } = this;
    stage.classList.add("beside");
    this.patches = this.board(make("div", "left", stage));
    this.right = make("div", "right", stage);
    if (!data.can_learn) {
      this.shares = this.bars(this.right);
      this.showOutcome(outcomeOf(this.trace));
      return;
    }
    this.lesson = half.lesson;
    const { target, isLie, loss } = this.lesson;
    this.right.classList.add("two");
    const name = data.class_names[target];
    this.caption("before", { name, share: precisePercent(half.outcomes[target]), loss: written(loss) });
    this.before = this.bars(this.right);
    this.before.show(half.outcomes, { truth: target });
    this.results = [{ caption: this.data.frame.bars, outcome: half.outcomes }];
    if (this.isFirst && isLie) make("p", "task lie", this.words, this.text("lie", { name }));
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

  caption(name, values) {
    const caption = make("p", "caption", this.right, this.text(name, values));
    caption.role = "status";
    return caption;
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
    if (!found || !this.isShown || this.prediction.isAnswered) return;
    const { options } = this.prediction;
    const before = written(found.before);
    const { large, right, small } = found.steps;
    const last = right ?? small;
    let result;
    if (!large) result = this.text("result_never", { rate: last.rate, before, after: written(last.loss) });
    else if (large.loss === null) result = this.text("result_broken", { rate: large.rate });
    else result = this.text("result", { rate: large.rate, before, after: written(large.loss) });
    this.prediction.settle({ given: options[index], right: options[large ? 2 : right ? 0 : 1], result });
    this.each((screen) => screen.open());
  }

  showMe() {
    this.tools?.querySelector("button:last-of-type")?.click();
  }

  /** The experiment: a step of each length. */
  async open() {
    if (!this.before || this.tools) return;
    if (this.isFirst) {
      this.task();
      this.tools = make("div", "tools rates", this.words);
      this.tools.role = "group";
      this.tools.setAttribute("aria-label", this.text("choose"));
    } else this.tools = document.createElement("div");
    const found = await this.learned();
    if (!found) return;
    this.found = found;
    for (const [zone, { rate }] of Object.entries(found.steps)) {
      const button = make("button", "quiet", this.tools, this.text(zone, { rate }));
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
    if (!step) return;
    const { target } = this.lesson;
    const { rate, loss, shares } = step;
    const name = this.data.class_names[target];
    this.afterSaid ??= this.caption("after", { rate, name, share: "", loss: "" });
    this.after ??= this.bars(this.right);
    if (!shares) {
      setText(this.afterSaid, this.text("broken", { rate }));
      this.after.show(this.half.outcomes.map(() => 0), { truth: target });
      this.results.splice(1);
    } else {
      setText(this.afterSaid, this.text("after", { rate, name, share: precisePercent(shares[target]), loss: written(loss) }));
      this.after.show(shares, { truth: target });
      this.results[1] = { caption: this.afterSaid.textContent, outcome: shares };
    }
    this.story.halves.changed();
  }

  refresh() {
    this.before = this.after = this.afterSaid = this.tools = this.found = null;
    super.refresh();
  }

  leave() {
    this.stage.classList.remove("beside");
  }
}
