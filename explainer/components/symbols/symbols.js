// Symbols of one's own: name them, draw each some times, and have them learned. Nothing leaves the
// browser before one of the buttons at the end is pressed.

const SIDE = 112; // of a drawing, from which its 28 × 28 grey values are made, as of any drawing
const RESTED = 1_300; // milliseconds without a stroke, after which a drawing counts as done

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".symbols");
  const sheet = keptFor(root, () => new Sheet(root, data));
  sheet.send = (order) => setTriggerValue("order", order);
  sheet.update(data);
  return () => sheet.leave();
}

/** The pad, which hands a drawing over when its pen has rested, or when it is told to. */
class SymbolPad extends Pad {
  constructor(root, texts, sheet) {
    super(root, texts);
    this.sheet = sheet;
    this.side = SIDE;
    this.rest = RESTED;
    this.canvas.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (this.down) this.end();
      sheet.addDrawing();
    });
  }

  inked() {
    this.sheet?.offerAdding();
  }

  begin(event) {
    this.byKeys = false;
    super.begin(event);
  }

  press(event) {
    this.byKeys = true;
    super.press(event);
  }

  /** Called when the pen has rested; keys are slow, so that they say themselves when it is done. */
  hand() {
    if (!this.byKeys && !this.down && this.strokes.at(-1)?.points) this.sheet.padRested();
  }

  empty() {
    clearTimeout(this.timer);
    this.strokes = [];
    this.paint();
  }
}

class Sheet {
  constructor(root, { texts, limits }) {
    Object.assign(this, { root, texts, limits });
    this.box = new Box(limits);
    this.buildNaming();
    const work = make("div", "work", root);
    this.buildDrawing(make("div", "drawing", work));
    this.list = make("ul", "classes", work);
    this.list.setAttribute("aria-label", texts.classes);
    this.note = make("p", "note", root, texts.kept_back);
    this.buildOrders();
    this.status = make("p", "announcement", root);
    this.status.setAttribute("role", "status");
    this.show();
  }

  buildNaming() {
    const form = make("form", "naming", this.root);
    const label = make("label", "", form, this.texts.name);
    this.name = make("input", "", label);
    this.name.type = "text";
    this.name.maxLength = this.limits.name;
    this.name.autocomplete = "off";
    this.name.placeholder = this.texts.example;
    this.naming = make("button", "", form, this.texts.add_class);
    this.trouble = make("p", "trouble", form);
    this.trouble.setAttribute("role", "alert");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.addClass();
    });
    this.name.addEventListener("input", () => this.complain(""));
  }

  buildDrawing(part) {
    this.drawing = part;
    this.asked = make("p", "asked", part);
    this.pad = new SymbolPad(make("div", "pad", part), this.texts.pad, this);
    const line = make("div", "adding", part);
    this.adding = this.button(line, "main", this.texts.add_drawing, () => this.addDrawing());
    const label = make("label", "by-itself", line);
    this.byItself = make("input", "", label);
    this.byItself.type = "checkbox";
    this.byItself.checked = true;
    label.append(this.texts.by_itself);
  }

  buildOrders() {
    const part = make("div", "orders", this.root);
    this.undoing = this.button(part, "undo-change", this.texts.undo_change, () => this.back());
    this.missing = make("p", "missing", part);
    this.orders = {};
    for (const [how, text] of Object.entries(this.texts.orders)) {
      const kind = how === this.texts.first ? "main order" : "order";
      this.orders[how] = this.button(part, kind, text, () => this.order(how));
    }
  }

  button(parent, className, text, act) {
    const button = make("button", className, parent, text);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  /** Take over what the server says anew: whether it can train now. */
  update({ is_open }) {
    this.isOpen = is_open;
    this.offerOrders();
  }

  leave() {
    clearTimeout(this.pad.timer);
  }

  // names

  addClass() {
    const trouble =
      this.box.symbols.length < this.limits.classes ? this.box.trouble(this.name.value) : "full";
    this.complain(trouble && fill(this.texts[trouble], { most: this.limits.classes }));
    if (trouble) return this.name.focus();
    this.box.add(this.name.value);
    this.name.value = "";
    this.pad.empty();
    this.show();
    this.say(fill(this.texts.class_added, { name: this.box.chosen.name }));
    this.pad.canvas.focus({ preventScroll: true });
  }

  complain(text) {
    setText(this.trouble, text);
    this.trouble.hidden = !text;
  }

  rename(at, field) {
    const trouble = this.box.trouble(field.value, at);
    this.complain(trouble && this.texts[trouble]);
    if (trouble) field.value = this.box.symbols[at].name;
    else if (tidy(field.value) !== this.box.symbols[at].name) this.box.rename(at, field.value);
    this.show();
  }

  // drawings

  padRested() {
    if (this.byItself.checked) this.addDrawing();
  }

  addDrawing() {
    const symbol = this.box.chosen;
    if (!symbol || symbol.drawings.length >= this.limits.drawings) return;
    const pixels = centred(this.pad.ink(), SIDE);
    if (!pixels.some(Boolean)) return;
    this.box.draw(pixels);
    this.pad.empty();
    this.show();
    const { name, drawings } = symbol;
    const left = this.limits.aim - drawings.length;
    const text = this.texts[left > 0 ? "drawing_added" : "drawing_added_last"];
    this.say(fill(text, { name, number: drawings.length, left }));
  }

  back() {
    this.box.back();
    this.show();
    this.say(this.texts.undone);
  }

  // what is shown

  show() {
    const { symbols, chosen } = this.box;
    this.drawing.hidden = this.note.hidden = !symbols.length;
    this.naming.disabled = false;
    if (chosen) this.showAsked(chosen);
    this.list.replaceChildren(...symbols.map((symbol, at) => this.card(symbol, at)));
    this.list.hidden = !symbols.length;
    this.undoing.disabled = !this.box.past.length;
    this.offerAdding();
    this.offerOrders();
  }

  showAsked({ name, drawings }) {
    const [before, after] = this.texts.asked.split("{name}");
    const what = make("b", "");
    what.textContent = name;
    this.asked.replaceChildren(before, what, after, make("span", "count", null, this.counted(drawings)));
  }

  /** How many drawings there are of as many as are wanted, or can be. */
  counted({ length: count }) {
    const { aim, drawings: most } = this.limits;
    return fill(this.texts[count >= most ? "count_full" : "count"], { count, aim: count > aim ? most : aim });
  }

  card({ name, drawings }, at) {
    const card = make("li", "card");
    const isChosen = at === this.box.place;
    card.classList.toggle("chosen", isChosen);
    const head = make("div", "head", card);
    const field = make("input", "name", head);
    field.type = "text";
    field.value = name;
    field.maxLength = this.limits.name;
    field.setAttribute("aria-label", fill(this.texts.rename, { name }));
    field.addEventListener("change", () => this.rename(at, field));
    make("span", "count", head, this.counted(drawings));
    const draw = this.button(head, "choose", this.texts.draw, () => this.choose(at));
    draw.setAttribute("aria-pressed", isChosen);
    draw.setAttribute("aria-label", fill(this.texts.draw_this, { name }));
    const remove = this.button(head, "remove", "×", () => this.remove(at));
    remove.setAttribute("aria-label", fill(this.texts.remove, { name }));
    const row = make("div", "drawings", card);
    drawings.forEach((text, place) => row.append(this.thumbnail(name, text, at, place)));
    return card;
  }

  thumbnail(name, text, at, place) {
    const button = this.button(null, "thumbnail", undefined, () => this.erase(at, place));
    const label = this.texts[isKeptBack(place) ? "erase_kept_back" : "erase"];
    button.title = fill(label, { name, number: place + 1 });
    button.setAttribute("aria-label", button.title);
    button.classList.toggle("kept-back", isKeptBack(place));
    const canvas = make("canvas", "", button);
    const { context, picture } = resize(canvas, 28, 28);
    asBytes(text).forEach((level, pixel) => picture.data.set([level, level, level, 255], 4 * pixel));
    context.putImageData(picture, 0, 0);
    return button;
  }

  choose(at) {
    this.box.choose(at);
    this.show();
    this.pad.canvas.focus({ preventScroll: true });
  }

  remove(at) {
    const { name } = this.box.symbols[at];
    this.box.remove(at);
    this.show();
    this.say(fill(this.texts.removed, { name }));
    this.undoing.focus({ preventScroll: true });
  }

  erase(at, place) {
    const { name } = this.box.symbols[at];
    this.box.erase(at, place);
    this.show();
    this.say(fill(this.texts.erased, { name, number: place + 1 }));
    this.undoing.focus({ preventScroll: true });
  }

  offerAdding() {
    if (!this.adding) return; // the pad is painted once before that
    const drawings = this.box.chosen?.drawings.length ?? 0;
    this.adding.disabled = this.pad.isEmpty() || drawings >= this.limits.drawings;
  }

  /** Say what is missing, and let only a whole set of drawings be learned. */
  offerOrders() {
    const missing = this.whatIsMissing();
    setText(this.missing, missing);
    this.missing.hidden = !missing;
    for (const button of Object.values(this.orders)) button.disabled = Boolean(missing) || !this.isOpen;
  }

  whatIsMissing() {
    const { least, least_classes: classes } = this.limits;
    const { symbols } = this.box;
    if (symbols.length < classes) return fill(this.texts.few_classes, { least: classes });
    const few = symbols.find((symbol) => symbol.drawings.length < least);
    if (!few) return "";
    return fill(this.texts.few_drawings, { name: few.name, count: few.drawings.length, least });
  }

  order(how) {
    for (const button of Object.values(this.orders)) button.disabled = true;
    this.say(this.texts.sent);
    this.send({ how, ...this.box.packed() });
  }

  say(text) {
    this.status.textContent = text;
  }
}
