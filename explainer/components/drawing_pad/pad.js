// A pad to draw on: white ink on black, as the digits that the model has learned from. Strokes are
// kept as lines, so that each can be undone; whoever shows the pad gets the drawing as grey values
// when the pen rests.

const SIZE = 280; // of the pad's own pixels; ten make one of the model's
const CELL = SIZE / 28; // how far an arrow key goes
const REST = 20; // milliseconds after a stroke, in which a next one may follow
const PENS = { thin: 12, medium: 20, thick: 30 };

// a page that draws the pad anew finds the drawing as it was left
const left = (globalThis[Symbol.for("vit-explainer.drawing")] ??= { name: null });

class Pad {
  constructor(root, texts) {
    this.texts = texts;
    this.pen = "medium";
    this.erases = false;
    this.strokes = []; // of {width, erases, points}, or {base} for a picture from outside
    this.names = new Set(); // of the drawings sent from here, whose answers change nothing
    this.cursor = { x: SIZE / 2, y: SIZE / 2 };
    this.down = null; // the stroke being drawn
    this.rest = REST;
    this.build(root);
  }

  /** Called whenever other ink stands on the pad, also while the pen is down. */
  inked() {}

  build(root) {
    const { texts } = this;
    this.frame = make("div", "frame", root);
    this.canvas = make("canvas", "", this.frame);
    this.canvas.width = this.canvas.height = SIZE;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", texts.label);
    this.hint = make("span", "hint", this.frame, texts.hint);
    this.mark = make("span", "cursor", this.frame);
    this.mark.hidden = this.hint.ariaHidden = true;
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });

    this.buildTools(make("div", "tools", root));
    this.status = make("span", "announcement", root);
    this.status.setAttribute("role", "status");

    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.follow(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => event.pointerId === this.pointer && this.end());
    }
    canvas.addEventListener("keydown", (event) => this.press(event));
    canvas.addEventListener("blur", () => this.blur());
    this.take(false);
  }

  buildTools(tools) {
    this.tools = {
      pen: this.button(tools, "pen", () => this.take(false)),
      eraser: this.button(tools, "eraser", () => this.take(true)),
    };
    this.undoing = this.button(tools, "undo", () => this.undo());
    this.clearing = this.button(tools, "clear", () => this.clear());
    const line = make("label", "width", tools, this.texts.width);
    const widths = make("select", "", line);
    for (const name of Object.keys(PENS)) make("option", "", widths, this.texts[name]).value = name;
    widths.value = this.pen;
    widths.addEventListener("change", () => (this.pen = widths.value));
  }

  button(parent, name, act) {
    const button = make("button", name, parent, this.texts[name]);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  take(erases) {
    this.erases = erases;
    this.tools.pen.setAttribute("aria-pressed", !erases);
    this.tools.eraser.setAttribute("aria-pressed", erases);
  }

  /** Show what the server has, unless it was drawn here. */
  update({ pixels, name }) {
    const seen = `${name} ${pixels}`;
    if (seen === this.seen) return;
    this.seen = seen;
    // no picture is the answer to a cleared pad, whose strokes can still be brought back
    if (this.down || this.names.has(name) || (!pixels && this.names.size)) return;
    if (name && name === left.name) {
      this.strokes = left.strokes;
      this.names.add(name);
    } else {
      this.strokes = pixels ? [{ base: enlarged(pixels) }] : [];
    }
    this.paint();
  }

  // pointers: mouse, finger, pen

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = SIZE / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  begin(event) {
    if (event.button || this.pointer != null) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.mark.hidden = true;
    this.start(this.place(event));
  }

  follow(event) {
    if (event.pointerId !== this.pointer || !this.down) return;
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) this.extend(this.place(step));
  }

  // keys: arrows move, space puts the pen down and lifts it

  press(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (way) {
      this.cursor.x = within(this.cursor.x + way[0] * CELL);
      this.cursor.y = within(this.cursor.y + way[1] * CELL);
      if (this.down) this.extend({ ...this.cursor });
    } else if (event.key === " ") {
      if (this.down) this.end();
      else this.start({ ...this.cursor });
    } else if (event.key === "Escape" && this.down) {
      this.end();
    } else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) {
      this.undo();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.showCursor();
  }

  showCursor() {
    const { x, y } = this.cursor;
    this.mark.hidden = false;
    this.mark.style.left = `${(100 * x) / SIZE}%`;
    this.mark.style.top = `${(100 * y) / SIZE}%`;
    this.mark.classList.toggle("down", Boolean(this.down));
    const row = Math.min(28, Math.floor(y / CELL) + 1);
    const column = Math.min(28, Math.floor(x / CELL) + 1);
    setText(this.status, fill(this.texts[this.down ? "drawing_at" : "moving_at"], { row, column }));
  }

  blur() {
    this.mark.hidden = true;
    if (this.down && this.pointer == null) this.end();
  }

  // strokes

  start(point) {
    clearTimeout(this.timer);
    this.down = { width: PENS[this.pen], erases: this.erases, points: [point] };
    // a pen begins its own digit; an eraser takes away from the one that is there
    this.down.clears = !this.erases && this.strokes.length === 1 && Boolean(this.strokes[0].fresh);
    this.strokes.push(this.down);
    if (this.down.clears) this.paint();
    else this.line(this.down, 0);
    this.offer();
    this.inked();
  }

  extend(point) {
    this.down.points.push(point);
    this.line(this.down, this.down.points.length - 1);
    this.inked();
  }

  end() {
    this.pointer = null;
    if (!this.down) return;
    this.down = null;
    this.paint(); // the line as a whole, which undo and another page will paint alike
    this.changed();
  }

  undo() {
    if (this.down || !this.strokes.length) return;
    this.strokes.pop();
    this.paint();
    this.changed();
  }

  clear() {
    if (this.down || this.isEmpty()) return;
    this.strokes.push({ clears: true });
    this.paint();
    this.changed();
    this.canvas.focus({ preventScroll: true });
  }

  isEmpty() {
    const last = this.strokes.at(-1);
    return !last || Boolean(last.clears && !last.points);
  }

  offer() {
    this.hint.hidden = !this.isEmpty();
    this.undoing.disabled = !this.strokes.length;
    this.clearing.disabled = this.isEmpty();
  }

  /** Paint a stroke from its point number ``from`` on. */
  line({ width, erases, points }, from) {
    const { context } = this;
    context.strokeStyle = context.fillStyle = erases ? "#000" : "#fff";
    context.lineWidth = erases ? 1.5 * width : width;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    const start = points[Math.max(0, from - 1)];
    context.moveTo(start.x, start.y);
    // a stroke of one point is a dot
    if (points.length === 1) context.lineTo(start.x + 0.01, start.y);
    for (const { x, y } of points.slice(from)) context.lineTo(x, y);
    context.stroke();
  }

  paint() {
    const { context } = this;
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIZE, SIZE);
    const cleared = this.strokes.findLastIndex((stroke) => stroke.clears);
    for (const stroke of this.strokes.slice(Math.max(0, cleared))) {
      if (stroke.base) {
        context.imageSmoothingEnabled = true;
        context.imageSmoothingQuality = "high";
        context.drawImage(stroke.base, 0, 0, SIZE, SIZE);
      } else if (stroke.points) {
        this.line(stroke, 0);
      }
    }
    this.offer();
    this.inked();
  }

  changed() {
    this.offer();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hand(), this.rest);
  }

  /** The drawing as ``side`` × ``side`` grey values. */
  ink() {
    return reduced(this.canvas, this.side);
  }

  /** Give the drawing to whoever shows the pad. */
  hand() {
    this.send(this.drawing());
  }

  /** The drawing as it leaves the pad, under a name by which the pad knows the answer to it. */
  drawing() {
    clearTimeout(this.timer);
    this.timer = null;
    const name = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
    this.names.add(name);
    Object.assign(left, { name, strokes: this.strokes });
    return { name, ink: asText(this.ink()) };
  }
}

function within(place) {
  return Math.max(CELL / 2, Math.min(SIZE - CELL / 2, place));
}

/** A canvas of 28 × 28 grey values, which come as base64 or as bytes. */
function enlarged(pixels) {
  const values =
    typeof pixels === "string" ? Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0)) : pixels;
  const canvas = document.createElement("canvas");
  const { context, picture } = resize(canvas, 28, 28);
  values.forEach((value, at) => picture.data.set([value, value, value, 255], 4 * at));
  context.putImageData(picture, 0, 0);
  return canvas;
}

/** The grey values of a canvas, reduced to ``side`` × ``side``. */
function reduced(canvas, side) {
  const small = (reduced.canvas ??= document.createElement("canvas"));
  small.width = small.height = side;
  const context = small.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  return Uint8Array.from({ length: side * side }, (_, at) => data[4 * at]);
}

/** Bytes as base64. */
function asText(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
