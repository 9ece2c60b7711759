// What a run's filters become, and where it puts the sixteen digits, from epoch to epoch.

/** Common to both: a title, and what is said of a stop. */
class EpochScreen {
  constructor(parent, film) {
    this.film = film;
    this.screen = make("div", this.className, parent);
    this.side = make("div", "side", parent);
    this.title = make("p", "stop", this.side);
    this.note = make("p", "told", this.side);
    this.legend = make("p", "note", this.side);
  }

  set(data) {
    this.data = data;
    setText(this.legend, data.texts.legend);
  }

  leave() {}

  write(stop) {
    setText(this.title, this.film.label(stop));
    setText(this.note, this.data.notes[stop]);
  }

  describe(stop) {
    return `${this.film.label(stop)}: ${this.data.notes[stop]}`;
  }
}

class FiltersScreen extends EpochScreen {
  get className() {
    return "filters";
  }

  build() {
    this.canvas = make("canvas", "pixelated", this.screen);
    this.canvas.role = "img";
  }

  set(data) {
    super.set(data);
    this.colours = colourTable(signedStops(this.film.root, data.colours));
    const { columns, count, filter_height: height, filter_width: width } = data;
    this.gap = Math.max(1, Math.floor(height / 4)); // as in the mosaic of the page
    this.size = [
      columns * (width + this.gap) - this.gap,
      Math.ceil(count / columns) * (height + this.gap) - this.gap,
    ];
    this.screen.style.maxWidth = `min(34rem, ${columns * 4}rem)`;
    this.canvas.style.aspectRatio = `${this.size[0]} / ${this.size[1]}`;
  }

  paint(at) {
    const stop = Math.round(at);
    this.write(stop);
    this.canvas.setAttribute("aria-label", this.describe(stop));
    const { data, gap } = this;
    const { columns, count, channels, filter_height: height, filter_width: width } = data;
    const { levels } = data.arrays;
    const { context, picture } = resize(this.canvas, ...this.size);
    const words = new Uint32Array(picture.data.buffer);
    const length = count * height * width * channels;
    const from = Math.floor(at) * length;
    const share = at - Math.floor(at);
    const level = (index) =>
      share ? Math.round((1 - share) * levels[from + index] + share * levels[from + length + index]) : levels[from + index];
    for (let filter = 0, index = 0; filter < count; filter++) {
      const left = (filter % columns) * (width + gap);
      const top = Math.floor(filter / columns) * (height + gap);
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++, index += channels) {
          const to = (top + row) * this.size[0] + left + column;
          words[to] =
            channels === 1
              ? this.colours[level(index)]
              : level(index) | (level(index + 1) << 8) | (level(index + 2) << 16) | (255 << 24);
        }
      }
    }
    context.putImageData(picture, 0, 0);
  }
}

class MapScreen extends EpochScreen {
  get className() {
    return "map";
  }

  build(data) {
    this.list = make("ul", "digits", this.screen);
    const { image_height: height, image_width: width } = data;
    this.tiles = data.truths.map((_, place) => {
      const tile = make("li", "", this.list);
      const canvas = make("canvas", "pixelated", tile);
      canvas.role = "img";
      const { context, picture } = resize(canvas, width, height);
      const pixels = data.arrays.digits.subarray(place * width * height);
      for (let at = 0; at < width * height; at++) {
        picture.data.fill(pixels[at], 4 * at, 4 * at + 3);
        picture.data[4 * at + 3] = 255;
      }
      context.putImageData(picture, 0, 0);
      return { tile, canvas, answer: make("b", "", tile) };
    });
  }

  paint(at) {
    const stop = Math.round(at);
    this.write(stop);
    const { data } = this;
    const { places } = data.arrays;
    const low = Math.floor(at);
    const share = at - low;
    this.tiles.forEach(({ tile, canvas, answer }, digit) => {
      const value = (frame, axis) => places[(frame * this.tiles.length + digit) * 2 + axis];
      const [right, up] = [0, 1].map((axis) =>
        share ? (1 - share) * value(low, axis) + share * value(low + 1, axis) : value(low, axis),
      );
      tile.style.left = `${50 + 44 * right}%`;
      tile.style.top = `${50 - 44 * up}%`;
      const [truth, predicted] = [data.truths[digit], data.predicted[stop][digit]];
      setText(answer, predicted);
      tile.classList.toggle("wrong", truth !== predicted);
      canvas.setAttribute("aria-label", fill(data.texts.digit, { truth, predicted }));
    });
  }
}
