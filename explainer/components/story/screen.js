// What every screen has: its texts, a place for its picture and one for its words.

/**
 * A screen of one half. While two halves are compared there are two of each screen: ``build`` draws its
 * own half alone, and what a visitor does goes to ``each`` of them. The words are those of the first;
 * what the second writes into its ``words`` nobody sees.
 */
class StoryScreen {
  constructor(half, texts, number, stage, words) {
    Object.assign(this, { half, story: half.story, texts, number, stage, words });
  }

  /** Build the picture and what there is to do. */
  build() {}

  /** Take over another picture, patch or theme. */
  refresh() {
    this.stage.replaceChildren();
    this.words.replaceChildren();
    this.prediction = null;
    this.build();
  }

  /** Offer a class a few answers with numbers, where the question is about a place. */
  offer() {}

  /** Stop what moves. */
  leave() {}

  /** Whether nobody has turned to another screen meanwhile. */
  get isShown() {
    return this.story.screens.includes(this);
  }

  /** The screen of the first half: it asks, and remembers what both halves do. */
  get first() {
    return this.story.screens[0];
  }

  get isFirst() {
    return this.first === this;
  }

  /** Do something on the screen of each half, and then show anew how they differ. */
  each(act) {
    this.story.screens.forEach(act);
    this.story.halves.changed();
  }

  /** The largest value of both halves: a scale on which they can be compared. */
  common(valueOf) {
    return Math.max(...this.story.screens.map(valueOf));
  }

  /** Ask before the experiment. The question is about the first half; the second goes by its answer. */
  predict(question) {
    if (this.isFirst) this.prediction = new Prediction(this, question);
    else this.prediction = this.first.prediction;
  }

  /** Whether the experiment may be seen. */
  get isOpen() {
    return !this.prediction || this.prediction.isAnswered;
  }

  /** Follow a patch of this half through the model. */
  follow(patch) {
    this.story.follow(patch, this.half);
    this.each((screen) => screen.showFollowed());
  }

  showFollowed() {
    this.patches?.mark("followed", this.half.followed);
  }

  /** Point at a patch of this half, and at the same place of the picture in the other. */
  pointAt(patch, byKeyboard = false) {
    for (const screen of this.story.screens) {
      const there = patch === null ? null : this.half.patchIn(screen.half, patch);
      screen.patches?.mark("pointed", there);
      screen.showPointed?.(there, byKeyboard && screen === this);
    }
    this.story.halves.changed(patch === null ? null : this.half.patchIn(this.first.half, patch));
  }

  /** Say what holds of this half alone, where there is another; else it stands among the words. */
  say(text) {
    this.story.halves.say(this.half, text);
  }

  get data() {
    return this.half.data;
  }

  get trace() {
    return this.half.trace;
  }

  text(name, values = {}) {
    return fill(this.texts[name], { ...this.half.facts, ...values });
  }

  task(name = "task") {
    return make("p", "task", this.words, this.text(name));
  }

  board(parent, options = {}) {
    const isLinked = this.showPointed || this.story.halves.isCompared;
    return new PatchBoard(make("div", "fit", parent), this.half, {
      label: this.data.frame.picture,
      point: isLinked ? (patch, byKeyboard) => this.pointAt(patch, byKeyboard) : null,
      ...options,
    });
  }

  /** Bars of shares, or a row of features without a head. */
  bars(parent) {
    const box = make("div", "shares", parent);
    if (!this.data.has_head) return new FeatureRow(box, this);
    box.role = "group";
    box.setAttribute("aria-label", this.data.frame.bars);
    const bars = new StageBars(box);
    return {
      show: (shares, options = {}) => {
        const shown = barsOf(shares);
        const truth = options.truth === undefined ? -1 : shown.indexOf(options.truth);
        const names = shown.map((index) => this.data.class_names[index]);
        bars.show(names, shown.map((index) => shares[index]), { truth });
      },
    };
  }

  /** Show what the model says now, and keep it for the difference. */
  showOutcome(outcome) {
    this.results = [{ caption: this.data.frame.bars, outcome }];
    this.shares.show(outcome);
    this.story.halves.changed();
  }

  button(parent, name, act, className = "quiet") {
    const button = make("button", className, parent, this.text(name));
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  canvas(parent, className, label) {
    const canvas = make("canvas", className, parent);
    canvas.role = "img";
    canvas.setAttribute("aria-label", label);
    return canvas;
  }
}

/** Features have no names: a row of colours. */
class FeatureRow {
  constructor(box, screen) {
    this.look = screen.half.look;
    const label = fill(screen.half.data.screens[0].features, screen.half.facts);
    this.canvas = screen.canvas(box, "row-strip tall", label);
  }

  show(features) {
    paintRow(this.canvas, features, this.look);
  }
}

/** Three places in reading order: that of the largest value, and two that are well behind it. */
function placesToOffer(values, except = -1) {
  const places = Array.from(values, (_, place) => place)
    .filter((place) => place !== except)
    .sort((one, other) => values[other] - values[one]);
  const third = Math.floor(places.length / 3);
  return [...new Set([places[0], places[third], places[2 * third]])].sort((one, other) => one - other);
}

const LONGEST_LINE = 64; // numbers beside each other in a row that is drawn

/**
 * Paint a row of signed numbers, in lines of at most 64; returns the number of columns.
 *
 * ``full`` is the size that has the full colour.
 */
function paintRow(canvas, values, look, full = fullAt(values)) {
  const columns = Math.min(values.length, LONGEST_LINE);
  const lines = Math.ceil(values.length / columns);
  const { context, picture } = resize(canvas, columns, lines);
  const words = new Uint32Array(picture.data.buffer);
  const scale = 127.5 / (full || 1);
  for (let at = 0; at < values.length; at++) {
    words[at] = look.signed[Math.max(0, Math.min(255, Math.round(127.5 + scale * values[at])))];
  }
  context.putImageData(picture, 0, 0);
  canvas.style.setProperty("--lines", lines);
  return columns;
}

/** A screen's text, whose words of the glossary are links that explain themselves in place. */
function linked({ text, words }, facts) {
  const nodes = [];
  let rest = text;
  for (const [word, key] of words) {
    const at = rest.indexOf(word);
    if (at < 0) continue;
    const link = document.createElement("a");
    link.href = `glossary#${key}`;
    link.textContent = word;
    nodes.push(fill(rest.slice(0, at), facts), link);
    rest = rest.slice(at + word.length);
  }
  return [...nodes, fill(rest, facts)];
}
