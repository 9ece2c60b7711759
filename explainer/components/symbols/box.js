// The symbols of a visitor: names and drawings, as this browser's tab keeps them until it is closed.

const SYMBOLS_STORE = "vit-explainer.symbols";
const DRAWING_BYTES = 784; // 28 × 28 grey values
const DRAWING_TEXT = 4 * Math.ceil(DRAWING_BYTES / 3); // letters of base64
const MOST_STEPS_BACK = 40;
const KEPT_BACK_EVERY = 5; // of the drawings of a symbol, one is not learned from

class Box {
  /** ``limits``: ``classes``, ``drawings`` (the most of each) and ``name`` (letters). */
  constructor(limits) {
    this.limits = limits;
    this.past = []; // as texts, the latest last
    this.read();
  }

  get chosen() {
    return this.symbols[this.place] ?? null;
  }

  read() {
    let stored = {};
    try {
      stored = JSON.parse(sessionStorage.getItem(SYMBOLS_STORE) ?? "{}") ?? {};
    } catch {
      // a browser that keeps nothing for this page, or something else in its place
    }
    this.take(stored);
  }

  /** Take over what a store says, as far as it is sound. */
  take(stored) {
    const { classes, drawings, name } = this.limits;
    this.symbols = [];
    for (const one of Array.isArray(stored.symbols) ? stored.symbols : []) {
      const known = typeof one?.name === "string" ? one.name.slice(0, name) : "";
      const drawn = Array.isArray(one?.drawings) ? one.drawings.filter(isDrawing) : [];
      if (this.symbols.length < classes && !this.trouble(known)) {
        this.symbols.push({ name: known, drawings: drawn.slice(0, drawings) });
      }
    }
    const place = Number.isInteger(stored.place) ? stored.place : 0;
    this.place = Math.max(0, Math.min(this.symbols.length - 1, place));
  }

  written() {
    return JSON.stringify({ symbols: this.symbols, place: this.place });
  }

  keep() {
    try {
      sessionStorage.setItem(SYMBOLS_STORE, this.written());
    } catch {
      // they last as long as the page
    }
  }

  /** Change something, so that it can be taken back. */
  change(act) {
    this.past.push(this.written());
    if (this.past.length > MOST_STEPS_BACK) this.past.shift();
    act();
    this.keep();
  }

  back() {
    if (!this.past.length) return;
    this.take(JSON.parse(this.past.pop()));
    this.keep();
  }

  /** Why a symbol cannot have a name, as the key of a text; empty if it can. */
  trouble(name, but = -1) {
    const wanted = tidy(name);
    if (!wanted) return "nameless";
    const alike = (one, at) => at !== but && tidy(one.name).toLowerCase() === wanted.toLowerCase();
    return this.symbols.some(alike) ? "named_twice" : "";
  }

  add(name) {
    this.change(() => {
      this.symbols.push({ name: tidy(name), drawings: [] });
      this.place = this.symbols.length - 1;
    });
  }

  rename(at, name) {
    this.change(() => (this.symbols[at].name = tidy(name)));
  }

  remove(at) {
    this.change(() => {
      this.symbols.splice(at, 1);
      if (this.place >= at) this.place = Math.max(0, this.place - 1);
    });
  }

  choose(at) {
    this.place = at;
    this.keep();
  }

  draw(pixels) {
    this.change(() => this.chosen.drawings.push(asText(pixels)));
  }

  erase(at, drawing) {
    this.change(() => this.symbols[at].drawings.splice(drawing, 1));
  }

  /** What the server is sent: the names, how many drawings each has, and all their grey values. */
  packed() {
    const drawings = this.symbols.flatMap((one) => one.drawings);
    const bytes = new Uint8Array(DRAWING_BYTES * drawings.length);
    drawings.forEach((text, at) => bytes.set(asBytes(text), DRAWING_BYTES * at));
    const classes = this.symbols.map((one) => ({ name: one.name, drawings: one.drawings.length }));
    return { classes, pixels: asText(bytes) };
  }
}

/** A name without blanks around it, and with one at most between its words. */
function tidy(name) {
  return name.trim().replace(/\s+/g, " ");
}

function isDrawing(text) {
  if (typeof text !== "string" || text.length !== DRAWING_TEXT) return false;
  try {
    return atob(text).length === DRAWING_BYTES;
  } catch {
    return false;
  }
}

function asBytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function isKeptBack(drawing) {
  return drawing % KEPT_BACK_EVERY === KEPT_BACK_EVERY - 1;
}
