// Home's pad: a digit stands on it, a pen begins a new one, and its tools stand beside it.

const TOOL_ICONS = {
  pen: "M4 20l1-5L16 4l4 4L9 19z",
  eraser: "M8 20h12M4 15l9-10 6 6-8 9H8z",
  undo: "M9 5L4 10l5 5M4 10h10a6 6 0 0 1 0 12h-3",
  clear: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
};
const PAD_REST = 500; // milliseconds after a stroke, in which a next one may follow

class HomePad extends Pad {
  /** ``home`` is told of all ink that a visitor makes, and of what is to be given to the server. */
  constructor(root, texts, home) {
    super(root, texts);
    this.home = home;
    this.rest = PAD_REST;
    this.unanswered = null; // what was asked for last, until the server shows it
  }

  buildTools(tools) {
    this.tools = {
      pen: this.icon(tools, "pen", () => this.take(false)),
      eraser: this.icon(tools, "eraser", () => this.take(true)),
    };
    const names = Object.keys(PENS);
    const width = make("button", "width", tools);
    const dot = make("span", "", width);
    width.type = "button";
    const show = () => {
      dot.style.width = dot.style.height = `${PENS[this.pen] / 20}rem`;
      width.title = `${this.texts.width}: ${this.texts[this.pen]}`;
      width.setAttribute("aria-label", width.title);
    };
    width.addEventListener("click", () => {
      this.pen = names[(names.indexOf(this.pen) + 1) % names.length];
      show();
    });
    show();
    this.undoing = this.icon(tools, "undo", () => this.undo());
    this.clearing = this.icon(tools, "clear", () => this.clear());
  }

  icon(parent, name, act) {
    const button = make("button", name, parent);
    button.type = "button";
    button.title = this.texts[name];
    button.setAttribute("aria-label", this.texts[name]);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.ariaHidden = true;
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", TOOL_ICONS[name]);
    svg.append(path);
    button.append(svg);
    button.addEventListener("click", act);
    return button;
  }

  /** Whether the picture that stands here is the server's, untouched. */
  get isUntouched() {
    return this.strokes.length === 1 && Boolean(this.strokes[0].fresh);
  }

  get isBusy() {
    return Boolean(this.down || this.timer);
  }

  /** Take the server's picture: 28 × 28 grey values, its code for a link, and a drawing's name. */
  take28(image, code, name) {
    const { drawing } = this.unanswered ?? {};
    if (!drawing || drawing.name === name) this.unanswered = null;
    const seen = `${name} ${code} ${image.join()}`;
    if (seen === this.seen) return;
    this.seen = seen;
    if (this.down || this.names.has(name)) return;
    this.forget();
    if (name && name === left.name) {
      this.strokes = left.strokes;
      this.names.add(name);
    } else {
      this.strokes = [{ base: enlarged(image), fresh: true, code }];
    }
    this.isQuiet = true; // nobody has drawn this
    this.paint();
    this.isQuiet = false;
  }

  inked() {
    if (!this.isQuiet) this.home?.inked();
  }

  /** Ask for the drawing to be taken, or for the picture that stood here, if that is back. */
  hand() {
    this.unanswered = this.asked();
    this.send(this.unanswered);
  }

  asked() {
    if (!this.isUntouched) return { drawing: this.drawing() };
    this.forget();
    this.seen = null;
    return { restore: this.strokes[0].code };
  }

  /** Ask for nothing: another picture comes. */
  forget() {
    clearTimeout(this.timer);
    this.timer = this.unanswered = null;
  }

  /** Hand over at once what waits for the pen to rest. */
  flush() {
    if (this.timer && !this.down) this.hand();
  }

  /** What the server does not have yet, for somebody who leaves; null if it has all. */
  unasked() {
    return this.timer && !this.down ? this.asked() : this.unanswered;
  }
}
