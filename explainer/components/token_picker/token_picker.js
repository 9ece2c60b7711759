// A small image to choose a token on; what is pointed at is marked in all matrices of the page.

export default function (mount) {
  return mounted(TokenPicker, mount);
}

class TokenPicker extends ChoosingView {
  axis = "token";

  build() {
    const { data } = this;
    const picker = make("div", "picker", this.root);
    picker.style.maxWidth = `${data.width}px`;
    this.looking = null;
    this.grid = tokenGrid(picker, data, {
      look: (token, byKeyboard) => this.look(token, byKeyboard),
      choose: (token) => this.send(token),
    });
    this.readout = make("p", "readout number", picker);
    this.announce = announcer(picker);
    if (data.arrays.values) {
      const legend = make("div", "legend", picker);
      this.least = make("span", "number", legend);
      make("span", "bar", legend);
      this.most = make("span", "number", legend);
    }
  }

  show() {
    const { data } = this;
    this.page = marksOf(data.group);
    this.page.prefix = data.prefix_names.length;
    if (data.colour !== "query") this.root.style.setProperty("--query", `var(--${data.colour})`);
    paintPixels(this.grid.base, data);
    if (data.arrays.values) this.paintValues();
  }

  paintValues() {
    const { data } = this;
    const { values } = data.arrays;
    const signed = data.scale === "diverging";
    const own = data.limit ?? values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const limit = this.limitOf(`values ${data.scale}`, own) || 1;
    const stops = signed ? signedStops(this.root, data.colours) : data.colours[data.scale];
    // the image shows through
    const veil = colourTable(stops, (share) => (signed ? 0.8 : 0.6 + 0.28 * share));
    const solid = colourTable(stops);
    const level = (value) => {
      const place = signed ? 127.5 * (1 + value / limit) : (255 * value) / limit;
      return Math.round(Math.min(Math.max(place, 0), 255));
    };
    const numPrefix = data.prefix_names.length;
    const { context, picture } = resize(this.grid.overlay, data.columns, data.rows);
    const words = new Uint32Array(picture.data.buffer);
    for (let patch = 0; patch < words.length; patch++) words[patch] = veil[level(values[numPrefix + patch])];
    context.putImageData(picture, 0, 0);
    for (let token = 0; token < numPrefix; token++) {
      const [swatch, , value] = this.grid.buttons[token].children;
      const word = solid[level(values[token])];
      swatch.style.backgroundColor = `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`;
      setText(value, written(values[token]));
    }
    setText(this.least, signed ? written(-limit) : "0");
    setText(this.most, written(limit));
    this.root.style.setProperty("--scale", `linear-gradient(90deg, ${stops.join(", ")})`);
  }

  mark() {
    if (this.chosen === undefined) return;
    const within = (index) => (index < this.grid.buttons.length ? index : undefined);
    const active = this.looking ?? within(this.page.at(this.axis)) ?? this.chosen;
    this.grid.mark(active, this.chosen);
    const key = within(this.page.at("key"));
    if (key !== this.key) {
      this.grid.buttons[this.key]?.classList.remove("looked-at");
      this.grid.buttons[key]?.classList.add("looked-at");
      this.key = key;
    }
    setText(this.readout, this.say(active));
  }

  say(token) {
    const { texts, arrays } = this.data;
    const name = tokenName(this.data, token);
    return arrays.values ? fill(texts.readout, { token: name, value: written(arrays.values[token]) }) : name;
  }
}
