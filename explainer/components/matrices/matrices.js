// Matrices side by side. Each is painted once, one value a pixel; pointing at it only moves marks.

export default function (mount) {
  return mounted(Matrices, mount);
}

const GAP = 28; // pixels between two matrices
const TALL = 400; // pixels: what a matrix may take of the page's height before its cells get small
const LARGEST = 20; // pixels of a cell without a number
const LEAST = 3; // pixels of a cell: less could not be pointed at
const TIGHT = 2.5; // pixels of a cell, where that saves scrolling
const FEW = 14; // rows: a stream before and after each of a dozen blocks
const NAMED = 20; // pixels of a row with its name
const NUMBER = { width: 44, least: 34, height: 26, cells: 400 }; // room for a number, and how many at most
const VECTOR = 28; // pixels across a vector
const WORD = 90; // pixels of height that the word for the rows needs
const EDGE = 6; // pixels around the cells, the padding of .box: room for a mark at the border
const TWO_LINES = 280; // pixels of width that a readout needs for one line
const NAMES_UP_TO = 24; // rows whose names are written beside them
const STRIP = {
  tall: 330, // pixels: what its rows may take of the page's height
  row: [2, 24], // pixels of a row, at least and at most
  across: [2, 14], // pixels of a column, at least and at most
  narrow: 34, // pixels of a column where there are few
  few: 2, // columns
  least: 34, // pixels of a matrix: room for its title
  most: 0.34, // of the strip's width for one matrix; a wider one scrolls
  telephone: 600, // pixels of width, where one matrix may take all of it
  wrapped: 130, // pixels of a matrix where the strip has several lines
  between: 8, // pixels between two of its parts
  sign: 14, // pixels
  edges: 2, // pixels around the cells
};

/** What both halves of a comparison and their difference call the same matrices. */
function sharedName(channel) {
  return baseOf(channel).replace(/^difference-/, "");
}

/** The components that show the same matrices of two models, or their difference. */
function companionsOf(channel) {
  const all = (globalThis[Symbol.for("vit-explainer.matrices")] ??= new Map());
  const name = sharedName(channel);
  if (!all.has(name)) all.set(name, new Set());
  return all.get(name);
}

class Matrices extends View {
  build() {
    const { is_strip: isStrip, items } = this.data;
    if (isStrip) this.readout = make("p", "readout number", this.root);
    const panel = make("div", isStrip ? "matrices strip" : "matrices", this.root);
    this.items = items.map((item) => {
      if (!item.sign) return new MatrixPanel(this, item, panel);
      const step = make("div", "step", panel);
      make("span", "sign", step, item.sign).ariaHidden = "true";
      return new MatrixPanel(this, item, step);
    });
    this.announce = announcer(this.root);
  }

  show() {
    const { colours, prefix } = this.data;
    this.page = marksOf(this.data.group);
    if (prefix !== null) this.page.prefix = prefix;
    // what is near zero is dark on a dark page, not a glaring white
    const diverging = signedStops(this.root, colours);
    this.stops = { diverging, sequential: colours.sequential };
    this.tables = {
      diverging: colourTable(diverging),
      sequential: colourTable(colours.sequential),
    };
    for (const item of this.items) item.show();
    this.width = null;
    this.lay();
  }

  listen() {
    super.listen();
    this.resized ??= new ResizeObserver(() => this.lay());
    this.resized.observe(this.root);
    this.companions = companionsOf(this.data.channel);
    this.companions.add(this);
  }

  leave() {
    super.leave();
    this.resized?.disconnect();
    this.companions?.delete(this);
  }

  /** Take over what the page has chosen. */
  choose({ cell, links }) {
    const [name, row, column] = cell ?? [];
    for (const item of this.items) item.choose(item.name === name ? { row, column } : null);
    this.page.keep(this, links);
  }

  /** Show a choice at once and hand it to Python. */
  send(item, { row, column }) {
    this.channel.set({ links: {}, ...this.channel.choice, cell: [item.name, row, column] });
    this.announce(item.label());
    // the time makes choosing the same cell again a change
    this.setStateValue("choice", { matrix: item.name, row, column, at: performance.now() });
  }

  /** Sizes of all cells: as large as the page's width allows, on one line if that is not too small. */
  lay() {
    const width = this.root.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    if (this.data.is_strip) this.layStrip(width);
    else this.laySingly(width);
    this.mark();
  }

  laySingly(width) {
    const fits = (largest) => {
      const widths = this.items.map((item) => item.sizes(width, largest).total);
      return widths.reduce((sum, each) => sum + each + GAP, -GAP) <= width;
    };
    let largest = LARGEST;
    while (largest > 5 && !fits(largest)) largest--;
    if (!fits(largest)) largest = LARGEST;
    for (const item of this.items) item.lay(width, largest);
    // a narrow one's readout takes two lines, and all matrices of a line begin at one height
    const narrow = this.items.some(({ size }) => size.total < TWO_LINES);
    this.root.firstElementChild.classList.toggle("narrow", narrow);
  }

  /** Rows of one height, and columns as wide as one line has room for; else they wrap. */
  layStrip(width) {
    const { across, between, few, least, narrow, row, sign, tall } = STRIP;
    const most = Math.floor(width < STRIP.telephone ? width - STRIP.edges : STRIP.most * width);
    const rows = Math.max(...this.items.map(({ rowNames }) => rowNames.length));
    const down = Math.min(Math.max(Math.floor(tall / rows), row[0]), row[1]);
    const cellWidth = (item, wide) => (item.columnNames.length <= few ? narrow : wide);
    const plane = (item, wide) => cellWidth(item, wide) * item.columnNames.length;
    const taken = (item, wide) =>
      Math.max(Math.min(plane(item, wide), most), least) + STRIP.edges + (item.item.sign ? sign + between : 0);
    const total = (wide) =>
      this.items.reduce((sum, item) => sum + taken(item, wide), between * (this.items.length - 1));
    let wide = across[1];
    while (wide > across[0] && total(wide) > width) wide--;
    if (total(wide) > width) {
      // on several lines, as narrow as it takes that each fits well
      const columns = Math.max(...this.items.slice(1).map((item) => item.columnNames.length));
      wide = Math.min(Math.max(Math.floor(STRIP.wrapped / columns), across[0]), 2 * across[0]);
    }
    this.root.style.setProperty("--tall", `${rows * down}px`);
    for (const item of this.items) {
      const size = { cellWidth: cellWidth(item, wide), cellHeight: down, named: false, numbered: false };
      item.figure.style.setProperty("--most", `${most}px`);
      item.use({ ...size, total: plane(item, wide) });
    }
  }

  /** Write what is pointed at, or else what is chosen, above a strip. */
  write() {
    const items = this.items ?? [];
    const item = items.find(({ looked }) => looked) ?? items.find(({ chosen }) => chosen);
    const at = item && (item.looked ?? item.chosen);
    const { texts } = this.data;
    setText(this.readout, at ? fill(texts.strip, { title: item.item.title, readout: item.say(at) }) : texts.strip_idle);
    this.readout.classList.toggle("idle", !at);
  }

  /** Keep the rows of a strip beside one another. */
  scrollTo(top) {
    for (const { box } of this.items) if (box.scrollTop !== top) box.scrollTop = top;
  }

  mark() {
    for (const item of this.items) {
      item.follow();
      item.mark();
    }
  }
}

class MatrixPanel {
  constructor(owner, item, parent) {
    const { data } = owner;
    // ``far`` is what somebody points at in the same matrix of the other half
    Object.assign(this, { owner, name: item.name, chosen: null, cursor: null, far: null });
    this.rowNames = data.names[item.rows];
    this.columnNames = data.names[item.columns];
    this.axes = this.axesOf(item);

    const figure = (this.figure = make("figure", "matrix", parent));
    const title = make("h2", "", figure);
    if (item.colour) make("span", "meaning", title).style.background = `var(--${item.colour})`;
    make("span", "", title, item.title);
    make("span", "shape", title, `${this.rowNames.length} × ${this.columnNames.length}`);
    this.scrolls = make("span", "scrolls", title, data.texts.scrolls);
    if (!data.is_strip) this.readout = make("p", "readout number", figure);

    const frame = make("div", "frame", figure);
    const words = (axis) => data.texts.axes[axis] ?? axis;
    if (item.column_axis && !data.is_strip) make("span", "axis columns", frame, `${words(item.column_axis)} →`);
    if (item.row_axis && !data.is_strip) this.rowsWord = make("span", "axis rows", frame, `${words(item.row_axis)} →`);
    this.names = make("div", "names", frame);
    this.names.ariaHidden = "true";
    this.box = make("div", "box", frame);
    this.box.tabIndex = 0;
    this.box.role = "application";
    this.plane = make("div", "plane", this.box);
    this.canvas = make("canvas", "pixelated", this.plane);
    this.numbers = make("div", "numbers", this.plane);
    this.numbers.ariaHidden = "true";
    this.marks = [
      ...this.axes.rows.map((axis) => this.markOf(axis, "row")),
      ...this.axes.columns.map((axis) => this.markOf(axis, "column")),
    ];
    this.outline = make("span", "chosen", this.plane);
    this.here = make("span", "here", this.plane);

    const legend = make("div", "legend", figure);
    this.least = make("span", "number", legend);
    make("span", `bar ${item.scale}`, legend);
    this.most = make("span", "number", legend);
    this.clipped = make("p", "note", figure);
    if (item.note) make("p", "note", figure, item.note);
    this.listen();
  }

  get item() {
    return this.owner.data.items.find(({ name }) => name === this.name);
  }

  get values() {
    return this.owner.data.arrays[this.name];
  }

  /** Which axes of the page mark a row, and which a column; see the Python module. */
  axesOf({ row_axis: row, column_axis: column }) {
    const tokens = ["token", "any", "query"];
    const own = (direction) => `${sharedName(this.owner.data.channel)}/${this.name}/${direction}`;
    if (tokens.includes(row) && tokens.includes(column)) [row, column] = ["query", "key"];
    if (row === column) column = "";
    const asKeys = { token: "key", any: "key", patch: "patch as key" };
    const both = (axis) => (asKeys[axis] ? [axis, asKeys[axis]] : [axis]);
    // a key that is marked on the columns is not marked on the rows as well
    const rows = row ? both(row).filter((axis) => axis === row || axis !== column) : [own("row")];
    const columns = column ? both(column).filter((axis) => axis === column || axis !== row) : [own("column")];
    return { rows, columns };
  }

  markOf(axis, direction) {
    const element = make("span", `mark ${direction}`, this.plane);
    element.style.setProperty("--mark", axisColour(axis));
    return { axis, direction, element };
  }

  listen() {
    const { box, plane } = this;
    const point = (event) => this.point(this.cellAt(event));
    plane.addEventListener("pointermove", point);
    plane.addEventListener("pointerdown", point);
    plane.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && this.point(null));
    plane.addEventListener("click", (event) => this.owner.send(this, this.cellAt(event)));
    box.addEventListener("focus", () => {
      if (box.matches(":focus-visible")) this.point(this.chosen ?? { row: 0, column: 0 }, true);
    });
    box.addEventListener("blur", () => this.point(null));
    box.addEventListener("keydown", (event) => this.press(event));
    if (this.owner.data.is_strip) box.addEventListener("scroll", () => this.owner.scrollTo(box.scrollTop));
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.cursor ?? this.chosen ?? { row: 0, column: 0 };
    if (event.key === "Enter" || event.key === " ") this.owner.send(this, at);
    else {
      const to = this.neighbour(at, event.key);
      if (!to) return;
      this.point(to, true);
    }
    event.preventDefault();
  }

  /** Where a key leads from a cell, null where it leads nowhere. */
  neighbour({ row, column }, key) {
    const [rows, columns] = [this.rowNames.length, this.columnNames.length];
    const steps = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [row - 10, column],
      PageDown: [row + 10, column],
      Home: [row, 0],
      End: [row, columns - 1],
    };
    if (!(key in steps)) return null;
    const within = (at, size) => Math.min(Math.max(at, 0), size - 1);
    return { row: within(steps[key][0], rows), column: within(steps[key][1], columns) };
  }

  cellAt(event) {
    const box = this.plane.getBoundingClientRect();
    const place = (at, from, size, count) =>
      Math.min(Math.max(Math.floor(((at - from) / size) * count), 0), count - 1);
    return {
      row: place(event.clientY, box.top, box.height, this.rowNames.length),
      column: place(event.clientX, box.left, box.width, this.columnNames.length),
    };
  }

  /** Look at a cell: the whole page marks its row and column. */
  point(cell, byKeyboard = false) {
    if (cell && this.cursor && cell.row === this.cursor.row && cell.column === this.cursor.column) return;
    if (!cell && !this.cursor) return;
    this.cursor = cell;
    const places = cell && {
      [this.axes.rows[0]]: cell.row,
      [this.axes.columns[0]]: cell.column,
      ...(this.axes.rows[0] === "any" ? { key: cell.row } : {}),
    };
    if (byKeyboard) {
      this.reveal(cell);
      this.owner.announce(this.say(cell));
    }
    this.owner.page.point(this, places);
    this.write();
  }

  /** The cell that is pointed at, here or in the other half. */
  get looked() {
    return this.cursor ?? this.far;
  }

  /** Look at the cell that is pointed at in the other half or in the difference. */
  follow() {
    const { companions, page } = this.owner;
    const isPointed = [...(companions ?? [])].some(
      (one) => one !== this.owner && one.items.some(({ name, cursor }) => name === this.name && cursor),
    );
    const at = (axis, count) => (count === 1 ? 0 : page.at(axis));
    const row = isPointed ? at(this.axes.rows[0], this.rowNames.length) : undefined;
    const column = isPointed ? at(this.axes.columns[0], this.columnNames.length) : undefined;
    const isHere = row < this.rowNames.length && column < this.columnNames.length; // not for undefined
    const before = this.far;
    this.far = isHere ? { row, column } : null;
    if (before?.row !== this.far?.row || before?.column !== this.far?.column) this.write();
  }

  choose(cell) {
    this.chosen = cell;
    this.write();
    this.outline.hidden = !cell;
    if (cell && this.size) {
      this.put(this.outline, cell);
      this.reveal(cell);
    }
    this.box.setAttribute("aria-label", this.label());
  }

  label() {
    const { texts } = this.owner.data;
    const shape = { title: this.item.title, rows: this.rowNames.length, columns: this.columnNames.length };
    const chosen = this.chosen ? ` ${fill(texts.chosen, { readout: this.say(this.chosen) })}` : "";
    return fill(texts.label, shape) + chosen;
  }

  say({ row, column }) {
    const { texts } = this.owner.data;
    const value = written(this.values[row * this.columnNames.length + column]);
    const names = { row: this.rowNames[row], column: this.columnNames[column] };
    if (names.row && names.column) return fill(texts.readout, { ...names, value });
    return fill(texts.readout_one, { name: names.row || names.column, value });
  }

  write() {
    if (this.owner.data.is_strip) return this.owner.write();
    const at = this.looked ?? this.chosen;
    const { least, largest } = this.range;
    const range = { least: written(least), largest: written(largest) };
    setText(this.readout, at ? this.say(at) : fill(this.owner.data.texts.range, range));
    this.readout.classList.toggle("idle", !at);
  }

  /** Paint the values, one a pixel. */
  show() {
    const { item, values, owner } = this;
    const signed = item.scale === "diverging";
    let [least, largest] = [Infinity, -Infinity];
    let farthest = 0; // from the centre, which is 0 for most
    for (let index = 0; index < values.length; index++) {
      if (values[index] < least) least = values[index];
      if (values[index] > largest) largest = values[index];
      farthest = Math.max(farthest, Math.abs(this.fromCentre(index)));
    }
    const limit = owner.limitOf(`${this.name} ${item.scale}`, item.limit ?? farthest) || 1;
    this.range = { least, largest };
    this.limit = limit;
    const { context, picture } = resize(this.canvas, this.columnNames.length, this.rowNames.length);
    const words = new Uint32Array(picture.data.buffer);
    const table = owner.tables[item.scale];
    for (let index = 0; index < values.length; index++) words[index] = table[this.level(this.fromCentre(index))];
    context.putImageData(picture, 0, 0);
    const { texts, is_strip: isStrip } = owner.data;
    const end = (sign) => (item.centred ? fill(texts.centred, { value: `${sign}${written(limit)}` }) : sign === "+" ? written(limit) : written(-limit));
    if (isStrip) {
      setText(this.most, fill(signed ? texts.strip_signed : texts.strip_amounts, { limit: written(limit) }));
    } else {
      setText(this.least, signed ? end("−") : "0");
      setText(this.most, end("+"));
    }
    const scale = `linear-gradient(90deg, ${owner.stops[item.scale].join(", ")})`;
    this.least.parentElement.style.setProperty("--scale", scale);
    const clips = farthest > limit * (1 + 1e-6);
    this.clipped.hidden = !clips;
    if (clips) {
      const far = item.centred ? farthest : -least > largest ? least : largest;
      const limits = { limit: (signed ? "±" : "") + written(limit), largest: written(far) };
      setText(this.clipped, fill(owner.data.texts.clipped, limits));
    }
    this.size = null;
    this.write();
    this.box.setAttribute("aria-label", this.label());
  }

  /** How far a number is from what its colour compares it with. */
  fromCentre(index) {
    const centre = this.owner.data.arrays[`${this.name}.centre`];
    if (!centre) return this.values[index];
    const columns = this.columnNames.length;
    const at = this.item.centred === "rows" ? Math.floor(index / columns) : index % columns;
    return this.values[index] - centre[at];
  }

  /** A value's place in the 256 colours. */
  level(value) {
    const share = value / this.limit;
    const place = this.item.scale === "diverging" ? 127.5 * (1 + share) : 255 * share;
    return Math.round(Math.min(Math.max(place, 0), 255));
  }

  /** Width and height of a cell in ``width`` pixels of page, and what the matrix takes in all. */
  sizes(width, largest) {
    const [rows, columns] = [this.rowNames.length, this.columnNames.length];
    const { cell } = this.item;
    const named = rows > 1 && rows <= NAMES_UP_TO && this.rowNames[0] !== "";
    const aside = (this.item.row_axis ? 22 : 0) + (named ? 104 : 0);
    const room = width - aside - 2;
    const total = ({ cellWidth, ...rest }) => {
      const planeWidth = Math.min(cellWidth * columns, room);
      return { cellWidth, ...rest, total: Math.max(planeWidth + aside + 2, 150) };
    };
    if (cell !== "auto") return total({ cellWidth: cell, cellHeight: cell, named, numbered: false });
    const numbered =
      rows * columns <= NUMBER.cells &&
      NUMBER.least * columns <= room &&
      NUMBER.height * rows <= 1.5 * TALL;
    if (numbered) {
      const cellWidth = Math.min(NUMBER.width, Math.floor(room / columns));
      return total({ cellWidth, cellHeight: NUMBER.height, named, numbered });
    }
    // some hundred columns that nearly fit get their share of the width, and need no scrolling
    const share = room / columns;
    const across = share < LEAST && share >= TIGHT ? share : Math.max(Math.min(Math.floor(share), largest), LEAST);
    const down = Math.max(Math.min(Math.floor(TALL / rows), largest), LEAST);
    if (rows === 1) return total({ cellWidth: across, cellHeight: VECTOR, named: false, numbered });
    if (columns === 1) {
      const fits = named && down >= 16;
      return total({ cellWidth: VECTOR, cellHeight: down, named: fits, numbered });
    }
    // a few rows may be higher than wide, so that they can be pointed at and have their names beside them
    if (rows <= FEW) return total({ cellWidth: across, cellHeight: Math.max(down, NAMED), named, numbered });
    const side = Math.min(across, down);
    return total({ cellWidth: side, cellHeight: side, named: named && side >= 16, numbered });
  }

  lay(width, largest) {
    this.use(this.sizes(width, largest));
  }

  /** Take over the size of the cells. */
  use(size) {
    this.size = size;
    const [rows, columns] = [this.rowNames.length, this.columnNames.length];
    Object.assign(this.plane.style, {
      width: `${size.cellWidth * columns}px`,
      height: `${size.cellHeight * rows}px`,
    });
    if (this.rowsWord) this.rowsWord.hidden = size.cellHeight * rows < WORD;
    this.names.hidden = !size.named;
    this.names.replaceChildren();
    if (size.named) {
      for (const name of this.rowNames) {
        const { style } = make("span", "", this.names, name);
        style.height = style.lineHeight = `${size.cellHeight}px`;
      }
    }
    this.writeNumbers();
    const isWide = this.box.scrollWidth > this.box.clientWidth + 1;
    this.box.classList.toggle("wide", isWide);
    this.scrolls.hidden = !isWide;
    if (this.chosen) {
      this.put(this.outline, this.chosen);
      this.reveal(this.chosen);
    }
  }

  writeNumbers() {
    this.numbers.replaceChildren();
    if (!this.size.numbered) return;
    const columns = this.columnNames.length;
    this.numbers.style.gridTemplate = `repeat(${this.rowNames.length}, 1fr) / repeat(${columns}, 1fr)`;
    const table = new Uint8Array(this.owner.tables[this.item.scale].buffer);
    this.values.forEach((value, index) => {
      const [red, green, blue] = table.subarray(4 * this.level(this.fromCentre(index)));
      const isLight = 0.299 * red + 0.587 * green + 0.114 * blue > 140;
      make("span", isLight ? "on-light" : "", this.numbers, writtenBriefly(value));
    });
  }

  /** Place an element over a cell. */
  put(element, { row, column }) {
    const { cellWidth, cellHeight } = this.size;
    Object.assign(element.style, {
      left: `${column * cellWidth}px`,
      top: `${row * cellHeight}px`,
      width: `${cellWidth}px`,
      height: `${cellHeight}px`,
    });
  }

  mark() {
    if (!this.size) return;
    for (const { axis, direction, element } of this.marks) {
      const at = this.owner.page.at(axis);
      const [count, size, from, extent] =
        direction === "row"
          ? [this.rowNames.length, this.size.cellHeight, "top", "height"]
          : [this.columnNames.length, this.size.cellWidth, "left", "width"];
      const shown = at !== undefined && at < count && count > 1;
      element.hidden = !shown;
      if (!shown) continue;
      element.style[from] = `${at * size}px`;
      element.style[extent] = `${size}px`;
      if (this.cursor === null) this.reveal({ [direction]: at });
    }
    this.here.hidden = !this.looked;
    if (this.looked) this.put(this.here, this.looked);
  }

  /** Scroll the matrix, never the page, until a row or column is in sight. */
  reveal({ row, column }) {
    const { box, size } = this;
    if (!size) return;
    const into = (at, extent, from, view) =>
      Math.min(Math.max(from, (at + 1) * extent + 2 * EDGE - view), at * extent);
    if (row !== undefined && box.scrollHeight > box.clientHeight + 1) {
      box.scrollTop = into(row, size.cellHeight, box.scrollTop, box.clientHeight);
    }
    if (column !== undefined && box.scrollWidth > box.clientWidth + 1) {
      box.scrollLeft = into(column, size.cellWidth, box.scrollLeft, box.clientWidth);
    }
  }
}
