// From the image to one patch as a row of numbers. All of it is repainted here while a patch is pointed at.

const NUMBERS_UP_TO = 64; // values of a patch: more would be too small to read
const ONE_LINE_UP_TO = 32; // numbers: more have no room beside one another

export default function (mount) {
  return mounted(PatchExplorer, mount);
}

class PatchExplorer extends View {
  update(data) {
    this.patchHeight = data.image_height / data.rows;
    this.patchWidth = data.image_width / data.columns;
    this.patchDim = this.patchHeight * this.patchWidth * data.channels;
    super.update(data);
  }

  show() {
    this.page = marksOf(`${halfOf(this.data.channel)}patch-explorer`);
    this.setColours();
    paintPixels(this.grid.base, this.data);
    this.paintPieces();
  }

  build() {
    const { data, root } = this;
    const { texts } = data;
    this.looking = null; // the patch pointed at, null when the chosen one is shown
    this.far = null; // the patch pointed at in the other half

    const steps = make("div", "steps", root);
    const image = this.step(steps, texts.step_grid);
    this.grid = tokenGrid(image, data, {
      look: (patch, byKeyboard = false) => this.look(patch, byKeyboard),
      choose: (patch) => this.send(patch),
    });
    this.announce = announcer(image);

    const pieces = this.step(steps, texts.step_pieces);
    this.pieces = make("div", "pieces", pieces);
    this.pieces.role = "img";
    this.pieces.ariaLabel = fill(texts.pieces_label, { count: data.rows * data.columns });
    this.piecesCanvas = make("canvas", "", this.pieces);
    this.pieceMark = make("span", "piece-mark", this.pieces);
    this.pieces.addEventListener("pointermove", (event) => this.look(this.pieceAt(event)));
    this.pieces.addEventListener("pointerleave", () => this.look(null));
    this.pieces.addEventListener("click", (event) => this.send(this.pieceAt(event)));

    const patch = this.step(steps, "");
    this.patchTitle = patch.querySelector("h2");
    this.patch = make("div", "patch", patch);
    this.patch.role = "img";
    this.patch.style.aspectRatio = `${this.patchWidth} / ${this.patchHeight}`;
    this.patchCanvas = make("canvas", "", this.patch);
    this.pixelNumbers = this.numbers(this.patch, this.patchWidth, this.patchHeight, data.channels === 1);

    const vectors = make("div", "vectors", root);
    this.raw = this.strip(vectors, texts.raw_title, texts.raw_note);
    this.normalised = this.strip(vectors, texts.normalised_title, texts.normalised_note);
  }

  rescale() {
    super.rescale();
    if (this.chosen !== undefined) this.paint();
  }

  /** Look at what is pointed at in the other half. */
  follow() {
    const far = this.looking === null ? (this.page.at("patch") ?? null) : null;
    if (far === this.far) return;
    this.far = far;
    if (this.chosen !== undefined) this.paint();
  }

  step(parent, title) {
    const step = make("section", "step", parent);
    make("h2", "", step, title);
    return step;
  }

  /** Number cells over a canvas of ``columns`` × ``rows``, where they can be read. */
  numbers(parent, columns, rows, wanted = true) {
    if (!wanted || columns * rows > NUMBERS_UP_TO) return [];
    const cells = make("div", "numbers", parent);
    cells.ariaHidden = "true";
    cells.style.gridTemplate = `repeat(${rows}, 1fr) / repeat(${columns}, 1fr)`;
    return Array.from({ length: columns * rows }, () => make("span", "", cells));
  }

  /** A flattened patch: one line of values, wrapped where a row of pixels ends if there are many. */
  strip(parent, title, note) {
    const section = make("section", "strip", parent);
    make("h2", "", section, title);
    const line = make("div", "line", section);
    line.role = "img";
    const groups = this.patchHeight * this.data.channels;
    line.classList.toggle("dense", this.patchDim > NUMBERS_UP_TO);
    line.classList.toggle("by-channel", this.data.channels > 1);
    const isLong = this.patchDim > ONE_LINE_UP_TO && this.patchDim <= NUMBERS_UP_TO;
    line.classList.toggle("wrapped", isLong && this.data.channels === 1);
    line.style.setProperty("--per-line", Math.ceil(groups / 2));
    line.style.setProperty("--rows-of-patch", this.patchHeight);
    const parts = Array.from({ length: groups }, () => {
      const part = make("span", "part", line);
      return { canvas: make("canvas", "pixelated", part), cells: this.numbers(part, this.patchWidth, 1, this.patchDim <= NUMBERS_UP_TO) };
    });
    make("p", "note", section, note);
    return { line, parts };
  }

  setColours() {
    const { colours, arrays } = this.data;
    // here a chosen patch is a patch, not yet a query
    this.root.style.setProperty("--query", colours.marks.patch);
    this.diverging = colourTable(colours.diverging);
    const farthest = arrays.vectors.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    this.bound = this.limitOf("vectors", farthest);
  }

  /** The patches with a gap between them. */
  paintPieces() {
    const { data, patchWidth, patchHeight } = this;
    // drawn larger than the image, so that a gap can be finer than a pixel of it
    const zoom = Math.max(1, Math.ceil(336 / data.image_width));
    const gap = Math.max(2, Math.round((0.16 * zoom * data.image_width) / data.columns));
    const [stepX, stepY] = [zoom * patchWidth + gap, zoom * patchHeight + gap];
    this.pieceSteps = {
      width: data.columns * stepX - gap,
      height: data.rows * stepY - gap,
      stepX,
      stepY,
      gap,
    };
    const { width, height } = this.pieceSteps;
    this.piecesCanvas.width = width;
    this.piecesCanvas.height = height;
    this.pieces.style.aspectRatio = `${width} / ${height}`;
    const context = this.piecesCanvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.strokeStyle = "rgb(128 128 128 / 60%)"; // a black patch on a dark page still has an edge
    for (let row = 0; row < data.rows; row++) {
      for (let column = 0; column < data.columns; column++) {
        context.drawImage(
          this.grid.base,
          column * patchWidth, row * patchHeight, patchWidth, patchHeight,
          column * stepX, row * stepY, stepX - gap, stepY - gap,
        );
        context.strokeRect(column * stepX + 0.5, row * stepY + 0.5, stepX - gap - 1, stepY - gap - 1);
      }
    }
  }

  pieceAt(event) {
    const box = this.pieces.getBoundingClientRect();
    const { width, height, stepX, stepY, gap } = this.pieceSteps;
    const place = (share, size, step, count) =>
      Math.min(Math.max(Math.floor((share * size + gap / 2) / step), 0), count - 1);
    const row = place((event.clientY - box.top) / box.height, height, stepY, this.data.rows);
    const column = place((event.clientX - box.left) / box.width, width, stepX, this.data.columns);
    return row * this.data.columns + column;
  }

  choose({ query }) {
    this.chosen = Math.min(Math.max(query, 0), this.data.rows * this.data.columns - 1);
    this.paint();
  }

  send(patch) {
    this.looking = null;
    this.page.point(this, null);
    this.channel.set({ ...this.channel.choice, query: patch });
    this.announce(this.describe());
    this.setStateValue("choice", { query: patch, at: performance.now() });
  }

  look(patch, byKeyboard = false) {
    if (patch === this.looking) return;
    this.looking = patch;
    this.page.point(this, patch === null ? null : { patch });
    if (this.chosen !== undefined) this.paint();
    if (byKeyboard) this.announce(this.describe());
  }

  paint() {
    const { data, patchWidth, patchHeight } = this;
    const patch = this.looking ?? this.far ?? this.chosen;
    const row = Math.floor(patch / data.columns);
    const column = patch % data.columns;
    this.grid.mark(patch, this.chosen);

    const { width, height, stepX, stepY, gap } = this.pieceSteps;
    const place = (value, size) => `${(100 * value) / size}%`;
    Object.assign(this.pieceMark.style, {
      left: place(column * stepX, width),
      top: place(row * stepY, height),
      width: place(stepX - gap, width),
      height: place(stepY - gap, height),
    });

    paintPixels(this.patchCanvas, data, patchWidth, patchHeight, row * patchHeight, column * patchWidth);
    setText(this.patchTitle, fill(data.texts.step_patch, { patch: tokenName(data, patch) }));
    const raw = this.rawVector(row, column);
    this.pixelNumbers.forEach((cell, index) => writeNumber(cell, raw[index], raw[index] > 140));
    this.patch.ariaLabel = fill(data.texts.patch_label, { patch: tokenName(data, patch), values: raw.join(", ") });

    const vectors = data.arrays.vectors;
    const normalised = vectors.subarray(patch * this.patchDim, (patch + 1) * this.patchDim);
    const channelSize = patchWidth * patchHeight;
    const inColour = (value, index) => [0, 1, 2].map((at) => (at === Math.floor(index / channelSize) ? value : 0));
    if (data.channels === 3) this.paintStrip(this.raw, raw, inColour, (value, colour) => isBright(colour), String);
    else this.paintStrip(this.raw, raw, (value) => [value, value, value], (value) => value > 140, String);
    this.paintStrip(
      this.normalised,
      normalised,
      (value) => {
        const word = this.diverging[Math.round(127.5 * (1 + value / this.bound))];
        return [word & 255, (word >> 8) & 255, (word >> 16) & 255];
      },
      (value, [red, green, blue]) => 0.299 * red + 0.587 * green + 0.114 * blue > 140,
      (value) => value.toFixed(2).replace("-", "\u2212"),
    );
  }

  /** Pixels of a patch in the order of its vector: channel, row, column. */
  rawVector(row, column) {
    const { patchWidth, patchHeight } = this;
    const { image_width: stride, channels, arrays } = this.data;
    const values = [];
    for (let channel = 0; channel < channels; channel++) {
      for (let y = row * patchHeight; y < (row + 1) * patchHeight; y++) {
        for (let x = column * patchWidth; x < (column + 1) * patchWidth; x++) {
          values.push(arrays.image[(y * stride + x) * channels + channel]);
        }
      }
    }
    return values;
  }

  paintStrip({ line, parts }, values, colourOf, isLight, format) {
    parts.forEach(({ canvas, cells }, group) => {
      const { context, picture } = resize(canvas, this.patchWidth, 1);
      for (let index = 0; index < this.patchWidth; index++) {
        const at = group * this.patchWidth + index;
        const value = values[at];
        const colour = colourOf(value, at);
        picture.data.set([...colour, 255], 4 * index);
        if (cells.length) writeNumber(cells[index], format(value), isLight(value, colour));
      }
      context.putImageData(picture, 0, 0);
    });
    line.ariaLabel = Array.from(values, format).join(", ");
  }

  describe() {
    const patch = this.looking ?? this.chosen;
    return fill(this.data.texts.announcement, { patch: tokenName(this.data, patch), index: patch + 1 });
  }
}

/** Whether black is easier to read on a colour than white, by its relative luminance (gamma 2). */
function isBright(colour) {
  const [red, green, blue] = colour.map((value) => (value / 255) ** 2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18;
}

/** A number in a cell, dark on light and light on dark. */
function writeNumber(cell, text, onLight) {
  setText(cell, String(text));
  cell.classList.toggle("on-light", onLight);
}
