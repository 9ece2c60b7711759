// Screen 11: how wrong an answer is, as a curve over the share of the right name.

const LOSS_HALVINGS = 3;
const LOSS_LEAST = 3; // nats that the curve shows at least
const LOSS_POINTS = 160; // of the curve that is drawn

class LossScreen extends StoryScreen {
  build() {
    const { data, stage } = this;
    stage.classList.add("loss");
    this.halved ??= 0;
    this.plot = new LossPlot(stage, this);
    if (this.isFirst && data.has_head && data.label === null) this.choose();
    this.predict({ about: "always", question: this.text("question"), options: this.texts.options });
    if (this.isOpen) this.open();
    this.each((screen) => screen.show()); // on one scale, which the second half may have changed
  }

  /** Ask what a picture shows that nobody has noted. */
  choose() {
    const { data, half, story } = this;
    const label = make("label", "choose", this.words, this.text("choose"));
    const names = make("select", "", label);
    data.class_names.forEach((name, at) => {
      make("option", "", names, name).value = at;
    });
    names.value = half.target;
    names.addEventListener("change", () => {
      story.target = Number(names.value);
      story.tell({ target: story.target });
      this.each((screen) => screen.show());
    });
  }

  predicted(index) {
    const { options } = this.prediction;
    const isShown = this.prediction.settle({ given: options[index], right: options[1], result: this.text("result") });
    if (!isShown) return;
    this.open();
    this.turn(1);
  }

  /** The experiment: halve the share, again and again. */
  open() {
    if (!this.isFirst || this.halve) return;
    this.task();
    const tools = make("div", "tools", this.words);
    this.halve = this.button(tools, "halve", () => this.turn(this.halved + 1));
    this.button(tools, "begin", () => this.turn(0));
  }

  turn(halved) {
    this.each((screen) => {
      screen.halved = Math.min(halved, LOSS_HALVINGS);
      screen.show();
    });
  }

  refresh() {
    this.halve = null;
    super.refresh();
  }

  /** The loss before anything is halved; of a model without names that of an example, half the share. */
  get loss() {
    const { half } = this;
    return this.data.has_head ? half.losses[half.target] : Math.LN2;
  }

  /** The largest loss that this half wants to show. */
  get most() {
    const guess = this.data.has_head ? Math.log(this.data.class_names.length) : 0;
    return Math.max(LOSS_LEAST, 1.2 * guess, 1.05 * this.loss + LOSS_HALVINGS * Math.LN2);
  }

  get name() {
    return this.data.has_head ? this.data.class_names[this.half.target] : this.text("example");
  }

  show() {
    if (!this.plot) return;
    this.plot.draw(this.common((screen) => screen.most));
    this.plot.mark(this.loss + this.halved * Math.LN2, this.name, this.halved ? this.loss : null);
    if (this.halve) this.halve.disabled = this.halved >= LOSS_HALVINGS;
  }

  leave() {
    this.stage.classList.remove("loss");
  }
}

/** The curve of −ln p with the picture's point and the line of guessing. */
class LossPlot {
  constructor(parent, screen) {
    this.screen = screen;
    const figure = make("figure", "loss-curve", parent);
    this.caption = make("figcaption", "caption", figure, screen.text("curve"));
    this.plot = make("div", "plot", figure);
    this.plot.role = "img";
    this.svg = document.createElementNS(STORY_SVG, "svg");
    this.svg.setAttribute("viewBox", "0 0 100 100");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.ariaHidden = "true";
    this.plot.append(this.svg);
    this.line = this.path("curve-line");
    make("span", "tick top", this.plot);
    const axis = make("p", "axis", figure);
    for (const text of ["0 %", screen.text("share_axis"), "100 %"]) make("span", "", axis, text);
    if (screen.data.has_head) {
      this.guess = make("span", "guess-line", this.plot);
      make("span", "", this.guess, screen.text("guessing"));
    }
    this.before = make("i", "point before", this.plot);
    this.now = make("i", "point", this.plot);
    this.said = make("b", "point-said", this.plot);
  }

  path(className) {
    const path = document.createElementNS(STORY_SVG, "path");
    path.setAttribute("class", className);
    this.svg.append(path);
    return path;
  }

  /** Draw the curve up to a loss of ``most``. */
  draw(most) {
    this.most = most;
    const points = Array.from({ length: LOSS_POINTS + 1 }, (_, at) => (most * at) / LOSS_POINTS);
    this.line.setAttribute("d", `M${points.map((loss) => `${100 * Math.exp(-loss)} ${this.down(loss)}`).join("L")}`);
    setText(this.plot.querySelector(".tick"), `${this.screen.text("loss_axis")} ${most.toFixed(1)}`);
    if (!this.guess) return;
    const guess = Math.log(this.screen.data.class_names.length);
    this.guess.style.top = `${this.down(guess)}%`;
    this.guess.classList.toggle("low", guess < 0.3 * most); // the curve is below it
  }

  down(loss) {
    return 100 - (100 * loss) / this.most;
  }

  /** Put the point where the loss is; ``before`` is where it was, null for nowhere else. */
  mark(loss, name, before = null) {
    const share = Math.exp(-loss);
    this.place(this.now, loss);
    this.before.hidden = before === null;
    if (before !== null) this.place(this.before, before);
    const { screen } = this;
    const facts = { name, share: percent(share), loss: writtenBriefly(loss) };
    this.write(this.said, loss, screen.text("point", facts));
    const told = [screen.text("curve"), screen.text("described", facts)];
    if (screen.data.has_head) told.push(screen.text("described_guess"));
    this.plot.setAttribute("aria-label", told.join(". ").replaceAll("..", "."));
  }

  /** Write beside a point. */
  write(element, loss, text) {
    setText(element, text);
    this.place(element, loss);
    element.classList.toggle("left", Math.exp(-loss) > 0.5);
  }

  place(element, loss) {
    element.style.left = `${100 * Math.exp(-loss)}%`;
    element.style.top = `${this.down(loss)}%`;
  }
}
