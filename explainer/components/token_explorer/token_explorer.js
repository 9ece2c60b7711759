// Where each token looks: over the image, in every head, and as a row of the whole pattern.
// Everything is painted here from data sent once; the server hears of clicks only.

export default function (mount) {
  return mounted(TokenExplorer, mount);
}

class TokenExplorer extends View {
  update(data) {
    this.numPrefix = data.prefix_names.length;
    this.numPatches = data.rows * data.columns;
    this.numTokens = this.numPrefix + this.numPatches;
    super.update(data);
  }

  show() {
    this.page = marksOf(`${halfOf(this.data.channel)}token-explorer`);
    this.setColours();
    this.paintImages();
    this.patternPainted = null;
  }

  build() {
    const { data, root } = this;
    const { texts } = data;
    root.style.setProperty("--shape", data.image_width / data.image_height);
    this.looking = null; // the token pointed at, null when the chosen one is shown
    this.key = null; // the column pointed at in the pattern
    this.far = { query: null, key: null }; // what is pointed at in the other half

    const main = make("section", "main", root);
    this.from = make("h2", "", main);
    this.grid = tokenGrid(main, data, {
      look: (token, byKeyboard = false) => this.look(token, byKeyboard),
      choose: (token) => this.send({ query: token }),
    });
    const legend = make("div", "legend", main);
    make("span", "", legend, "0");
    make("span", "bar", legend);
    this.most = make("span", "number", legend);
    this.strongest = make("ol", "strongest", main);
    this.entries = Array.from({ length: Math.min(4, this.numTokens) }, () => {
      const entry = make("li", "", this.strongest);
      return { name: make("span", "name", entry), value: make("span", "number", entry) };
    });
    this.announce = announcer(main);

    const heads = make("section", "heads", root);
    make("h2", "", heads, texts.heads_title);
    const cards = make("div", "cards", heads);
    cards.role = "group";
    cards.setAttribute("aria-label", texts.heads_title);
    cards.style.setProperty("--cards", cardColumns(data.heads));
    this.heads = Array.from({ length: data.heads }, (_, head) => this.buildHead(cards, head));
    const prefix = data.prefix_names.join(", ");
    const notes = [texts.heads_note, this.numPrefix ? fill(texts.heads_note_prefix, { prefix }) : ""];
    make("p", "note", heads, notes.join(" "));

    const pattern = make("section", "pattern", root);
    make("h2", "", pattern, texts.pattern_title);
    const frame = make("div", "frame", pattern);
    make("span", "axis keys", frame, texts.keys_axis);
    make("span", "axis queries", frame, texts.queries_axis);
    this.square = make("div", "square", frame);
    this.square.role = "img";
    this.matrix = make("canvas", "pixelated", this.square);
    this.rowMark = make("span", "row-mark", this.square);
    this.columnMark = make("span", "column-mark", this.square);
    this.cell = make("p", "cell-value", pattern);
    this.patternNote = make("p", "note", pattern);
    this.square.addEventListener("pointermove", (event) => this.pointAtCell(event));
    this.square.addEventListener("pointerdown", (event) => this.pointAtCell(event));
    this.square.addEventListener("pointerleave", () => this.look(null));
    this.square.addEventListener("click", (event) => this.send({ query: this.cellAt(event).query }));
  }

  buildHead(cards, head) {
    const { data } = this;
    const button = make("button", "card", cards);
    button.type = "button";
    button.role = "switch";
    const picture = make("span", "picture", button);
    picture.style.aspectRatio = `${data.image_width} / ${data.image_height}`;
    const base = make("canvas", "base", picture);
    const overlay = make("canvas", "overlay pixelated", picture);
    const caption = make("span", "caption", button);
    make("span", "name", caption, fill(data.texts.head, { head: head + 1 }));
    const state = make("span", "state", caption);
    const value = make("span", "number", caption);
    const swatches = data.prefix_names.map((name) => {
      const line = make("span", "prefix", button);
      const swatch = make("span", "swatch", line);
      make("span", "name", line, name);
      return { swatch, value: make("span", "number", line) };
    });
    button.addEventListener("click", () => this.flip(head));
    return { button, base, overlay, state, value, swatches };
  }

  rescale() {
    this.patternPainted = null;
    if (this.query !== undefined) this.paint();
  }

  /** Look at what is pointed at in the other half. */
  follow() {
    const [query, key] = ["query", "key"].map((axis) => (this.looking === null ? (this.page.at(axis) ?? null) : null));
    if (query === this.far.query && key === this.far.key) return;
    this.far = { query, key };
    if (this.query !== undefined) this.paint();
  }

  setColours() {
    const { colours } = this.data;
    this.solid = colourTable(colours.sequential);
    // the image shows through, the less the larger the weight
    this.veil = colourTable(colours.sequential, (share) => 0.6 + 0.28 * share);
    this.root.style.setProperty("--scale", `linear-gradient(90deg, ${colours.sequential.join(", ")})`);
  }

  paintImages() {
    paintPixels(this.grid.base, this.data);
    for (const { base } of this.heads) paintPixels(base, this.data);
  }

  /** Take over what the page has chosen. */
  choose(choice) {
    const { depth, heads } = this.data;
    const clamp = (value, size) => Math.min(Math.max(value, 0), size - 1);
    this.block = clamp(choice.block, depth);
    this.head = clamp(choice.head, heads);
    this.query = clamp(choice.query, this.numTokens);
    const { off = [] } = choice;
    const { texts } = this.data;
    this.heads.forEach(({ button, state }, head) => {
      const isOff = off.includes(head);
      button.setAttribute("aria-checked", !isOff);
      button.classList.toggle("off", isOff);
      button.classList.toggle("chosen", head === this.head);
      setText(state, isOff ? texts.off : texts.on);
    });
    this.paint();
  }

  /** Switch a head off, or on again, and look at it. */
  flip(head) {
    const { off = [] } = this.channel.choice ?? {};
    const others = off.filter((one) => one !== head);
    this.send({ switch: head }, { head, off: others.length < off.length ? others : [...off, head] });
  }

  /** Show a choice at once and hand it to Python. */
  send(change, shown = change) {
    const choice = { ...this.channel.choice, ...shown };
    this.looking = null;
    this.page.point(this, null);
    this.channel.set(choice);
    this.announce(this.describe());
    // the time makes choosing the same token again a change
    this.setStateValue("choice", { ...change, at: performance.now() });
  }

  look(token, byKeyboard = false) {
    if (token === this.looking && this.key === null) return;
    this.looking = token;
    this.key = null;
    this.page.point(this, token === null ? null : { query: token });
    if (this.query !== undefined) this.paint();
    if (byKeyboard) this.announce(this.describe());
  }

  cellAt(event) {
    const box = this.square.getBoundingClientRect();
    const place = (at, from, size) =>
      Math.min(Math.max(Math.floor(((at - from) / size) * this.numTokens), 0), this.numTokens - 1);
    return {
      query: place(event.clientY, box.top, box.height),
      key: place(event.clientX, box.left, box.width),
    };
  }

  pointAtCell(event) {
    const { query, key } = this.cellAt(event);
    if (query === this.looking && key === this.key) return;
    this.looking = query;
    this.key = key;
    this.page.point(this, { query, key });
    this.paint();
  }

  /** Where a query's values begin in the arrays. */
  row(head, query) {
    return (this.block * this.data.heads + head) * this.numTokens + query;
  }

  weight(head, query, key) {
    const { patterns, scales, prefix } = this.data.arrays;
    const row = this.row(head, query);
    if (key < this.numPrefix) return prefix[row * this.numPrefix + key];
    return (patterns[row * this.numPatches + key - this.numPrefix] / 255) * scales[row];
  }

  paint() {
    const shown = this.looking ?? this.far.query ?? this.query;
    this.grid.mark(shown, this.query);
    this.paintPrefix(shown);
    this.paintOverlay(this.grid.overlay, this.head, shown);
    this.heads.forEach((card, head) => this.paintHead(card, head, shown));
    this.paintPattern();
    this.markPattern(shown);
    this.write(shown);
    this.saySharing();
  }

  /** The weight on a patch that has the full colour in a head's picture. */
  limit(head, query) {
    return this.limitOf(`head ${head}`, this.data.arrays.scales[this.row(head, query)]);
  }

  paintOverlay(canvas, head, query) {
    const { context, picture } = resize(canvas, this.data.columns, this.data.rows);
    const words = new Uint32Array(picture.data.buffer);
    const { patterns, scales } = this.data.arrays;
    const row = this.row(head, query);
    const limit = this.limit(head, query);
    const share = limit > 0 ? scales[row] / limit : 1; // below 1 where the other half has larger weights
    for (let patch = 0; patch < this.numPatches; patch++) {
      words[patch] = this.veil[Math.round(share * patterns[row * this.numPatches + patch])];
    }
    context.putImageData(picture, 0, 0);
  }

  /** A swatch is filled on the scale of the patches; a larger weight than any of theirs fills it whole. */
  fillSwatch(swatch, head, query, token) {
    const weight = this.weight(head, query, token);
    const share = Math.min(weight / this.limit(head, query), 1);
    const word = this.solid[Math.round(255 * share)];
    swatch.style.backgroundColor = `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`;
    return weight;
  }

  paintPrefix(query) {
    for (let token = 0; token < this.numPrefix; token++) {
      const button = this.grid.buttons[token];
      const weight = this.fillSwatch(button.firstChild, this.head, query, token);
      setText(button.lastChild, percent(weight));
    }
  }

  paintHead({ overlay, value, swatches }, head, query) {
    this.paintOverlay(overlay, head, query);
    setText(value, percent(this.data.arrays.scales[this.row(head, query)]));
    swatches.forEach((line, token) => {
      setText(line.value, percent(this.fillSwatch(line.swatch, head, query, token)));
    });
  }

  paintPattern() {
    const painted = `${this.block} ${this.head}`;
    if (painted === this.patternPainted) return;
    this.patternPainted = painted;
    const { texts, heads, arrays } = this.data;
    let largest = 0;
    const limit = this.limitOf("pattern", arrays.limits[this.block * heads + this.head]);
    const { context, picture } = resize(this.matrix, this.numTokens, this.numTokens);
    const words = new Uint32Array(picture.data.buffer);
    for (let query = 0, cell = 0; query < this.numTokens; query++) {
      for (let key = 0; key < this.numTokens; key++, cell++) {
        const weight = this.weight(this.head, query, key);
        largest = Math.max(largest, weight);
        words[cell] = this.solid[Math.round(255 * Math.min(weight / limit, 1))];
      }
    }
    context.putImageData(picture, 0, 0);
    const own = largest > limit * 1.01 ? texts.clipped_note : texts.whole_note;
    const note = this.scale.isShared(this) ? texts.shared_note : own;
    setText(this.patternNote, fill(note, { limit: percent(limit), largest: percent(largest) }));
  }

  markPattern(query) {
    const share = 100 / this.numTokens;
    this.rowMark.style.top = `${query * share}%`;
    this.rowMark.style.height = `${share}%`;
    const key = this.key ?? this.far.key;
    this.columnMark.hidden = key === null;
    this.columnMark.style.left = `${(key ?? 0) * share}%`;
    this.columnMark.style.width = `${share}%`;
  }

  write(query) {
    const { texts } = this.data;
    setText(this.most, percent(this.limit(this.head, query)));
    setText(this.from, fill(texts.from, { query: tokenName(this.data, query) }));
    const strongest = this.strongestKeys(query);
    this.entries.forEach(({ name, value }, index) => {
      setText(name, tokenName(this.data, strongest[index]));
      setText(value, percent(this.weight(this.head, query, strongest[index])));
    });
    const key = this.key ?? this.far.key ?? strongest[0];
    setText(
      this.cell,
      fill(texts.cell, {
        query: tokenName(this.data, query),
        key: tokenName(this.data, key),
        weight: percent(this.weight(this.head, query, key)),
      }),
    );
    this.square.ariaLabel = fill(texts.pattern_label, {
      size: this.numTokens,
      query: tokenName(this.data, query),
    });
  }

  strongestKeys(query) {
    const best = [];
    for (let key = 0; key < this.numTokens; key++) {
      const weight = this.weight(this.head, query, key);
      if (best.length === this.entries.length && weight <= best.at(-1).weight) continue;
      const place = best.findIndex((entry) => weight > entry.weight);
      best.splice(place < 0 ? best.length : place, 0, { key, weight });
      best.length = Math.min(best.length, this.entries.length);
    }
    return best.map(({ key }) => key);
  }

  describe() {
    const query = this.looking ?? this.far.query ?? this.query;
    const strongest = this.strongestKeys(query)
      .slice(0, 3)
      .map((key) => `${tokenName(this.data, key)} ${percent(this.weight(this.head, query, key))}`);
    return fill(this.data.texts.announcement, {
      query: tokenName(this.data, query),
      head: this.head + 1,
      strongest: strongest.join("; "),
    });
  }
}

/** Heads in a row: as few rows as stay readable, all of them full where that is possible. */
function cardColumns(heads) {
  if (heads <= 3) return Math.max(heads, 2);
  return [4, 3, 2].find((columns) => heads % columns === 0 && heads / columns > 1) ?? 4;
}
