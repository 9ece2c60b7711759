// Queries and keys of one head as points of one plane. Whoever points at a query sees lines to the
// keys of its picture that it attends to most; at a key, lines from the queries that do so.

const QUERY_DOT = 3; // pixels
const COLOURINGS = ["kind", "row", "column"];

export default function (mount) {
  return mounted(QueryMap, mount);
}

class QueryMap {
  constructor(root) {
    this.root = root;
    root.classList.add("queries");
    this.colouring = "kind";
    this.pinned = null;
  }

  update(data) {
    const shape = JSON.stringify({ ...data, arrays: undefined, colours: undefined });
    const isOther = this.data && !sameNumbers(this.data.arrays.points, data.arrays.points);
    this.data = data;
    setMarks(this.root, data.colours);
    this.patches = data.rows * data.columns;
    this.count = data.pictures.length * this.patches;
    if (shape !== this.shape) this.build();
    this.shape = shape;
    if (isOther) this.cloud.at = null;
    this.isDark = isDark(this.root);
    this.cloud.places = data.arrays.points;
    this.cloud.watch();
    this.showColouring();
    this.say(this.looked);
    this.cloud.paint();
  }

  build() {
    const { data, root } = this;
    const { texts } = data;
    this.cloud?.leave();
    root.replaceChildren();
    this.pinned = null;
    const colourings = make("div", "colourings", root);
    colourings.role = "group";
    colourings.setAttribute("aria-label", texts.colour_by);
    make("span", "", colourings, texts.colour_by);
    this.buttons = COLOURINGS.map((name) => {
      const button = make("button", "", colourings, texts[`by_${name}`]);
      button.type = "button";
      button.addEventListener("click", () => {
        this.colouring = name;
        this.showColouring();
        this.cloud.paint();
      });
      return { button, name };
    });
    const top = make("div", "top", root);
    this.cloud = new Cloud(top, this);
    this.cloud.box.setAttribute("aria-label", texts.alt);
    const side = make("div", "side", top);
    this.kinds = make("p", "kinds", side);
    for (const kind of ["query", "key"]) {
      const one = make("span", "", this.kinds);
      make("i", kind, one).setAttribute("aria-hidden", "true");
      one.append(texts[kind]);
    }
    this.name = make("p", "name", side);
    this.canvas = make("canvas", "", make("div", "of-picture", side));
    this.canvas.setAttribute("aria-hidden", "true");
    this.strongest = make("ol", "strongest", side);
    this.button = make("button", "", side, texts.take);
    this.button.type = "button";
    this.button.addEventListener("click", () => {
      const { picture, patch } = this.partsOf(this.looked ?? 0);
      this.setStateValue("choice", { picture, patch, at: performance.now() });
    });
    this.announce = announcer(root);
  }

  showColouring() {
    for (const { button, name } of this.buttons) button.setAttribute("aria-pressed", String(name === this.colouring));
    this.kinds.classList.toggle("plain", this.colouring !== "kind");
  }

  /** What is pointed at, or what was clicked last. */
  get looked() {
    return this.cloud.at ?? this.pinned;
  }

  partsOf(index) {
    const isKey = index >= this.count;
    const at = isKey ? index - this.count : index;
    return { isKey, picture: Math.floor(at / this.patches), patch: at % this.patches };
  }

  /** The pairs that are marked for a point: {query, key, weight}, the largest weight first. */
  pairsOf(index) {
    const { strongest, weights } = this.data.arrays;
    const { isKey, picture, patch } = this.partsOf(index);
    const most = strongest.length / this.count;
    const first = picture * this.patches;
    const pairs = [];
    for (let query = 0; query < this.patches; query++) {
      if (!isKey && query !== patch) continue;
      for (let rank = 0; rank < most; rank++) {
        const from = (first + query) * most + rank;
        if (isKey && strongest[from] !== patch) continue;
        pairs.push({ query: first + query, key: this.count + first + strongest[from], weight: weights[from] });
      }
    }
    return pairs.sort((one, other) => other.weight - one.weight).slice(0, most);
  }

  patchName(patch) {
    const { columns, texts } = this.data;
    return fill(texts.patch, { row: Math.floor(patch / columns) + 1, column: (patch % columns) + 1 });
  }

  say(index, aloud = false) {
    const { data, strongest } = this;
    const { texts } = data;
    this.button.disabled = index === null;
    strongest.replaceChildren();
    if (index === null) {
      setText(this.name, texts.hint);
      this.paintPicture(0, null, []);
      return;
    }
    const { isKey, picture, patch } = this.partsOf(index);
    const pairs = this.pairsOf(index);
    const name = fill(texts[isKey ? "name_key" : "name_query"], { patch: this.patchName(patch), picture: data.pictures[picture] });
    setText(this.name, name);
    const lines = pairs.map(({ query, key, weight }) => [this.patchName(this.partsOf(isKey ? query : key).patch), percent(weight)]);
    if (isKey && !lines.length) lines.push([texts.no_query, ""]);
    if (!isKey && data.has_prefix) lines.push([texts.other, percent(data.arrays.other[index])]);
    for (const [where, weight] of lines) {
      const entry = make("li", "", strongest);
      make("span", "", entry, where);
      make("span", "number", entry, weight);
    }
    this.paintPicture(picture, index, pairs);
    if (aloud) this.announce(`${name}: ${lines.map((line) => line.join(" ")).join(", ")}`);
  }

  paintPicture(picture, index, pairs) {
    const { image_height: height, image_width: width, channels, rows, columns, arrays } = this.data;
    const scale = Math.max(1, Math.ceil(448 / Math.max(height, width)));
    const canvas = document.createElement("canvas");
    paintPixels(canvas, {
      image_width: width,
      image_height: height,
      channels,
      arrays: { image: arrays.images.subarray(picture * height * width * channels) },
    });
    const { context } = resize(this.canvas, width * scale, height * scale);
    context.imageSmoothingEnabled = width > 96;
    context.globalAlpha = index === null ? 0.4 : 1;
    context.drawImage(canvas, 0, 0, width * scale, height * scale);
    context.globalAlpha = 1;
    if (index === null) return;
    const [wide, high] = [(width * scale) / columns, (height * scale) / rows];
    const outline = (patch, colour, thick) => {
      Object.assign(context, { strokeStyle: colour, lineWidth: thick });
      const half = thick / 2;
      context.strokeRect((patch % columns) * wide + half, Math.floor(patch / columns) * high + half, wide - thick, high - thick);
    };
    const { isKey, patch } = this.partsOf(index);
    const most = pairs[0]?.weight || 1;
    for (const { query, key, weight } of pairs) {
      outline(this.partsOf(isKey ? query : key).patch, this.mark(isKey ? "query" : "key"), Math.max(2, (9 * weight) / most));
    }
    outline(patch, this.mark(isKey ? "key" : "query"), 5);
    context.setLineDash([9, 7]);
    outline(patch, "#ffffff", 5);
    context.setLineDash([]);
  }

  /** The theme's colour of a kind, as a canvas takes it. */
  mark(kind) {
    return this.data.marks[kind][Number(this.isDark)];
  }

  colour(name) {
    return getComputedStyle(this.root).getPropertyValue(name).trim() || "#888888";
  }

  shadeOf(index) {
    const { isKey, patch } = this.partsOf(index);
    if (this.colouring === "kind") return this.mark(isKey ? "key" : "query");
    const { rows, columns } = this.data;
    const isRow = this.colouring === "row";
    const share = (isRow ? Math.floor(patch / columns) : patch % columns) / Math.max(1, (isRow ? rows : columns) - 1);
    return `hsl(${Math.round(15 + 255 * share)} 62% ${this.isDark ? 66 : 40}%)`;
  }

  paint(context, cloud) {
    const { looked, count } = this;
    const pairs = looked === null ? [] : this.pairsOf(looked);
    const lit = new Set(pairs.flatMap(({ query, key }) => [query, key]));
    if (looked !== null) lit.add(looked);
    const edge = this.colour("--st-secondary-background-color");
    const spot = (index, size) => {
      const [x, y] = [cloud.x(cloud.places[2 * index]), cloud.y(cloud.places[2 * index + 1])];
      context.fillStyle = this.shadeOf(index);
      context.beginPath();
      if (index < count) {
        context.arc(x, y, size, 0, 2 * Math.PI);
      } else {
        context.moveTo(x, y - 1.25 * size);
        context.lineTo(x + 1.25 * size, y);
        context.lineTo(x, y + 1.25 * size);
        context.lineTo(x - 1.25 * size, y);
        context.closePath();
      }
      context.fill();
      context.stroke();
    };
    Object.assign(context, { strokeStyle: edge, lineWidth: 0.75, globalAlpha: looked === null ? 0.85 : 0.2 });
    for (let index = 0; index < 2 * count; index++) if (!lit.has(index)) spot(index, QUERY_DOT);
    context.globalAlpha = 1;
    const most = pairs[0]?.weight || 1;
    for (const { query, key, weight } of pairs) {
      Object.assign(context, { strokeStyle: this.colour("--st-text-color"), lineWidth: Math.max(1, (4 * weight) / most) });
      context.beginPath();
      context.moveTo(cloud.x(cloud.places[2 * query]), cloud.y(cloud.places[2 * query + 1]));
      context.lineTo(cloud.x(cloud.places[2 * key]), cloud.y(cloud.places[2 * key + 1]));
      context.stroke();
    }
    Object.assign(context, { strokeStyle: edge, lineWidth: 1.5 });
    for (const index of lit) spot(index, index === looked ? 9 : 6);
  }

  leave() {
    this.cloud.leave();
  }

  // what the cloud calls

  point(index, byKeyboard) {
    this.say(this.looked, byKeyboard);
  }

  /** Keep a point marked while the pointer is elsewhere; once more lets it go. */
  take(index) {
    this.pinned = this.pinned === index ? null : index;
    this.say(this.looked, true);
    this.cloud.paint();
  }
}

function sameNumbers(one, other) {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}
