// Where one token looks, from stop to stop: arcs over the picture, from the token to what it looks at.

const FILM_WIDEST = 16; // CSS pixels of an arc of the largest weight
const FILM_NAMED = 5; // tokens that are named beside the picture

class AttentionScreen {
  constructor(parent, film) {
    this.film = film;
    this.screen = make("div", "screen", parent);
    this.side = make("div", "side", parent);
    this.title = make("p", "stop", this.side);
    this.note = make("p", "told", this.side);
    this.from = make("p", "from", this.side);
    this.list = make("ol", "strongest", this.side);
    this.sums = make("p", "note", this.side);
    this.pointed = make("p", "pointed", this.side);
    this.looking = null;
    this.resizing = new ResizeObserver(() => {
      this.places = null;
      if (this.data) this.draw();
    });
  }

  build(data) {
    this.screen.replaceChildren();
    this.list.replaceChildren();
    const { texts } = data;
    this.count = data.prefix_names.length + data.rows * data.columns;
    // a button here follows a token; other pictures of the page have buttons of the same patches
    const named = { ...data, texts: { ...texts, patch: texts.follow_patch } };
    this.grid = tokenGrid(this.screen, named, {
      look: (token, byKeyboard = false) => this.look(token, byKeyboard),
      choose: (token) => this.film.send({ query: token }),
    });
    this.group = this.grid.buttons[0].closest(".tokens");
    this.arcs = make("canvas", "arcs", this.group);
    this.arcs.ariaHidden = "true";
    this.entries = Array.from({ length: Math.min(FILM_NAMED, this.count - 1) }, () => {
      const entry = make("li", "", this.list);
      return { name: make("span", "name", entry), value: make("span", "number", entry) };
    });
  }

  set(data) {
    this.data = data;
    this.looking = null;
    this.kept = new Map();
    this.places = null;
    this.colour = data.colours.marks.query.match(/#[0-9a-f]{6}/gi).at(-1); // the screen is dark
    paintPixels(this.grid.base, data);
    this.grid.mark(data.query, data.query);
    this.resizing.observe(this.screen);
  }

  leave() {
    this.resizing.disconnect();
  }

  // ---- the numbers: rows of the trace, and the mean of the heads

  /** The weights of a stop; the head after the last one stands for the mean of all. */
  row(stop, head) {
    const { heads, arrays } = this.data;
    const start = (stop * heads + head) * this.count;
    if (head < heads) return arrays.weights.subarray(start, start + this.count);
    const mean = new Float64Array(this.count);
    for (let one = 0; one < heads; one++) {
      this.row(stop, one).forEach((weight, key) => (mean[key] += weight / heads));
    }
    return mean;
  }

  /** What is shown at a stop: its weights, and the tokens at which arcs end, by falling weight. */
  at(stop) {
    const { head } = this.film;
    const name = `${stop} ${head}`;
    if (!this.kept.has(name)) {
      const weights = this.row(stop, head);
      const ends = Array.from(weights.keys())
        .filter((key) => key !== this.data.query)
        .sort((one, other) => weights[other] - weights[one] || one - other)
        .slice(0, this.data.strongest);
      this.kept.set(name, { weights, ends });
    }
    return this.kept.get(name);
  }

  // ---- what is seen

  paint(at) {
    this.now = at;
    this.write(Math.round(at));
    this.draw();
  }

  /** Where a token is, in CSS pixels of the canvas. */
  middles() {
    const box = this.group.getBoundingClientRect();
    return this.grid.buttons.map((button) => {
      const { x, y, width, height } = button.getBoundingClientRect();
      return [x - box.x + width / 2, y - box.y + height / 2];
    });
  }

  draw() {
    if (this.now === undefined || !this.group.isConnected) return;
    const { clientWidth: width, clientHeight: height } = this.group;
    if (!width || !height) return;
    const places = (this.places ??= this.middles());
    const context = sharpen(this.arcs, width, height);
    context.clearRect(0, 0, width, height);
    const scale = this.film.widest() || 1;
    const ends = this.blended().map(([key, weight]) => [places[key], weight / scale]);
    drawArcs(context, places[this.data.query], ends, { colour: this.colour, widest: FILM_WIDEST });
  }

  /** The arcs of this moment: [token, weight] each. */
  blended() {
    const low = Math.floor(this.now);
    const { weights, ends } = this.at(low);
    if (low === this.now) return ends.map((key) => [key, weights[key]]);
    const share = this.now - low;
    const next = this.at(low + 1);
    const weight = new Map(ends.map((key) => [key, (1 - share) * weights[key]]));
    for (const key of next.ends) weight.set(key, (weight.get(key) ?? 0) + share * next.weights[key]);
    return [...weight];
  }

  write(stop) {
    const { data } = this;
    const { texts, query } = data;
    const { weights, ends } = this.at(stop);
    setText(this.title, this.film.label(stop));
    const name = tokenName(data, query);
    setText(this.note, data.notes[stop] ?? "");
    setText(this.from, fill(texts.from, { query: name }));
    this.entries.forEach((entry, place) => {
      setText(entry.name, tokenName(data, ends[place]));
      setText(entry.value, percent(weights[ends[place]]));
    });
    const drawn = ends.reduce((sum, key) => sum + weights[key], 0);
    const others = this.count - 1;
    const sums = texts[others > ends.length ? "drawn" : others ? "drawn_all" : "drawn_none"];
    const widest = others ? texts[data.step ? "widest_both" : "widest"] : "";
    setText(
      this.sums,
      fill(`${sums} ${widest}`, {
        count: ends.length,
        others,
        share: tenths(drawn),
        itself: tenths(weights[query]),
        scale: tenths(this.film.widest()),
      }),
    );
    for (let token = 0; token < data.prefix_names.length; token++) {
      setText(this.grid.buttons[token].lastChild, percent(weights[token]));
    }
    this.point(stop);
  }

  point(stop) {
    const { data, looking } = this;
    if (looking === null) {
      setText(this.pointed, data.texts.hint);
      return;
    }
    const { weights } = this.at(stop);
    const values = { key: tokenName(data, looking), weight: percent(weights[looking]) };
    setText(this.pointed, fill(data.texts.pointed, values));
  }

  look(token, byKeyboard) {
    this.looking = token;
    this.grid.mark(token ?? this.data.query, this.data.query);
    this.point(Math.round(this.now));
    if (byKeyboard && token !== null) this.film.announce(this.pointed.textContent);
  }

  describe(stop) {
    const { data } = this;
    const { weights, ends } = this.at(stop);
    const strongest = ends.slice(0, 3).map((key) => `${tokenName(data, key)} ${percent(weights[key])}`);
    return fill(data.texts.described, {
      stop: this.film.label(stop),
      query: tokenName(data, data.query),
      strongest: strongest.join("; "),
    });
  }
}

/** A share to a tenth of a per cent, so that a sum does not seem whole that is not. */
function tenths(share) {
  if (share > 0.9995 && share < 1) return "> 99.9\u202f%";
  return share >= 0.0995 ? `${(100 * share).toFixed(1)}\u202f%` : percent(share);
}
