// Filters as little images, all in one scale; the one pointed at says what it makes of the chosen patch.

export default function (mount) {
  return mounted(FilterGrid, mount);
}

class FilterGrid extends ChoosingView {
  axis = "dimension";

  build() {
    const { data } = this;
    const panel = make("div", "filters", this.root);
    panel.style.maxWidth = `min(34rem, ${data.columns * 4}rem)`;
    this.looking = null;
    this.grid = tokenGrid(panel, data, {
      look: (filter, byKeyboard) => this.look(filter, byKeyboard),
      choose: (filter) => this.send(filter),
    });
    this.grid.buttons.forEach((button, filter) => button.setAttribute("aria-label", this.name(filter)));
    this.readout = make("p", "readout number", panel);
    if (data.channels === 1) {
      const legend = make("div", "legend", panel);
      this.least = make("span", "number", legend);
      make("span", "bar", legend);
      this.most = make("span", "number", legend);
    }
    this.announce = announcer(panel);
  }

  show() {
    this.page = marksOf(this.data.group);
    // here a chosen thing is a dimension, not a token that asks
    this.root.style.setProperty("--query", "var(--accent)");
    this.paint();
  }

  paint() {
    const { data } = this;
    const { filters } = data.arrays;
    const { filter_height: high, filter_width: wide, columns, zoom } = data;
    const { cell_height: cellHigh, cell_width: cellWide } = data;
    const limit = data.channels === 1 ? this.limitOf("filters", sizeOf(filters)) || 1 : null;
    const stops = signedStops(this.root, data.colours);
    const paintOf = data.channels === 3 ? this.colours(high * wide * 3) : shades(data, limit, stops);
    // a tile is its filter, enlarged, in the middle of a cell that is a quarter larger
    const [top, left] = [Math.floor((cellHigh - high * zoom) / 2), Math.floor((cellWide - wide * zoom) / 2)];
    const { context, picture } = resize(this.grid.base, data.image_width, data.image_height);
    const words = new Uint32Array(picture.data.buffer);
    for (let filter = 0; filter < data.rows * columns; filter++) {
      const fromRow = Math.floor(filter / columns) * cellHigh + top;
      const fromColumn = (filter % columns) * cellWide + left;
      for (let y = 0; y < high * zoom; y++) {
        for (let x = 0; x < wide * zoom; x++) {
          const at = (filter * high + Math.floor(y / zoom)) * wide + Math.floor(x / zoom);
          words[(fromRow + y) * data.image_width + fromColumn + x] = paintOf(at);
        }
      }
    }
    context.putImageData(picture, 0, 0);
    if (!this.least) return;
    setText(this.least, written(-limit));
    setText(this.most, written(limit));
    this.root.style.setProperty("--scale", `linear-gradient(90deg, ${stops.join(", ")})`);
  }

  /** Three weights of a pixel as red, green and blue around mid-grey, each filter in its own scale. */
  colours(size) {
    const { filters } = this.data.arrays;
    const limits = Array.from({ length: filters.length / size }, (_, filter) => {
      const own = sizeOf(filters.subarray(filter * size, (filter + 1) * size));
      return this.limitOf(`filter ${filter}`, own) || 1;
    });
    return (pixel) => {
      const limit = limits[Math.floor((3 * pixel) / size)];
      const [red, green, blue] = [0, 1, 2].map((channel) => levelOf(filters[3 * pixel + channel], limit));
      return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    };
  }

  mark() {
    if (this.chosen === undefined) return;
    const pointed = this.page.at(this.axis);
    const active = this.looking ?? (pointed < this.grid.buttons.length ? pointed : this.chosen);
    this.grid.mark(active, this.chosen);
    setText(this.readout, this.say(active));
  }

  name(filter) {
    return fill(this.data.texts.filter, { number: filter + 1 });
  }

  say(filter) {
    const value = written(this.data.arrays.responses[filter]);
    return fill(this.data.texts.readout, { filter: this.name(filter), value });
  }
}

/** The size of the largest of some numbers. */
function sizeOf(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** A signed number's place in 0…255, of which 0 is the middle. */
function levelOf(value, limit) {
  return Math.round(Math.min(Math.max(127.5 * (1 + value / limit), 0), 255));
}

/** Weights in the diverging map, all in one scale. */
function shades({ arrays: { filters } }, limit, stops) {
  const table = colourTable(stops);
  return (at) => table[levelOf(filters[at], limit)];
}
