// What every screen has: its texts, a place for its picture and one for its words.

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
    this.build();
  }

  /** Stop what moves. */
  leave() {}

  /** Whether nobody has turned to another screen meanwhile. */
  get isShown() {
    return this.story.screen === this;
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
    return new PatchBoard(make("div", "fit", parent), this.half, {
      label: this.data.frame.picture,
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

const LONGEST_LINE = 64; // numbers beside each other in a row that is drawn

/** Paint a row of signed numbers, in lines of at most 64; returns the number of columns. */
function paintRow(canvas, values, look) {
  const columns = Math.min(values.length, LONGEST_LINE);
  const lines = Math.ceil(values.length / columns);
  const { context, picture } = resize(canvas, columns, lines);
  const words = new Uint32Array(picture.data.buffer);
  const scale = 127.5 / (fullAt(values) || 1);
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
