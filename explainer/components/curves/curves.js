// Two charts over the same epochs. Pointing into one, or moving along it by the arrow keys, reads the
// values of all curves in both; new measurements come in without disturbing that.

const SVG = "http://www.w3.org/2000/svg";
const SPACE = { left: 40, right: 14, top: 20, bottom: 40 }; // pixels around the drawing
const FEW = 80; // points of a curve whose dots are drawn
const MARK = 8; // pixels around the middle of a mark that a text leaves free
const LINE = 3; // the same around a line

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".curves");
  const chart = keptFor(root, () => new Charts(root));
  chart.update(data);
  // for whoever measures how old the picture is
  (parentElement.host ?? root).dataset.newest = data.newest;
  return () => chart.leave();
}

function make(name, parent, attributes = {}, text = "") {
  const isDrawn = parent?.namespaceURI === SVG || name === "svg";
  const element = isDrawn ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  parent?.append(element);
  return element;
}

/** The outline of a mark around (x, y). */
function symbolPath(symbol, x, y, r) {
  const around = (count, radii, turn = 0) =>
    Array.from({ length: count }, (_, i) => {
      const angle = (2 * Math.PI * i) / count - Math.PI / 2 + turn;
      const radius = radii[i % radii.length];
      return `${(x + radius * Math.cos(angle)).toFixed(1)} ${(y + radius * Math.sin(angle)).toFixed(1)}`;
    }).join("L");
  switch (symbol) {
    case "diamond":
      return `M${around(4, [1.25 * r])}Z`;
    case "square":
      return `M${around(4, [1.25 * r], Math.PI / 4)}Z`;
    case "triangle":
      return `M${around(3, [1.35 * r])}Z`;
    case "star":
      return `M${around(10, [1.45 * r, 0.6 * r])}Z`;
    case "cross": {
      const [a, b] = [1.15 * r, 0.42 * r];
      return `M${x - b} ${y - a}h${2 * b}v${a - b}h${a - b}v${2 * b}h${b - a}v${a - b}h${-2 * b}v${b - a}h${b - a}v${-2 * b}h${a - b}Z`;
    }
    default:
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  }
}

/** What stands before a name: the curve in small. */
function swatch(parent, { kind, symbol, shade }) {
  const svg = make("svg", parent, { viewBox: "0 0 24 14", "aria-hidden": "true", style: `color: ${shade}` });
  if (kind !== "marks") make("path", svg, { class: "course", d: "M1 7H23", "stroke-width": kind === "line" ? 1.5 : 2 });
  if (kind === "dots") make("circle", svg, { class: "dot", cx: 12, cy: 7, r: 3 });
  if (kind === "marks") make("path", svg, { class: "dot", d: symbolPath(symbol, 12, 7, 5.5) });
}

/** The place of the number nearest to x in a rising list; -1 where it is empty. */
function nearest(numbers, x) {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - numbers[low - 1] < numbers[low] - x ? low - 1 : low < numbers.length ? low : -1;
}

/** Whether the line from (x1, y1) to (x2, y2) goes through a box with so much room around it. */
function crosses({ x, y, width, height }, [x1, y1], [x2, y2], room) {
  let [from, to] = [0, 1];
  const sides = [
    [x1 - x2, x1 - x + room],
    [x2 - x1, x + width + room - x1],
    [y1 - y2, y1 - y + room],
    [y2 - y1, y + height + room - y1],
  ];
  for (const [step, space] of sides) {
    if (step === 0 && space < 0) return false;
    if (step < 0) from = Math.max(from, space / step);
    if (step > 0) to = Math.min(to, space / step);
  }
  return from <= to;
}

function overlap(one, other) {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

class Charts {
  constructor(root) {
    this.root = root;
    this.at = null; // the epoch that is pointed at
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(root);
  }

  update(data) {
    this.data = data;
    for (const [name, colour] of Object.entries(data.colours)) this.root.style.setProperty(`--${name}`, colour);
    this.root.style.setProperty("--accent", "var(--st-primary-color)");
    const shape = JSON.stringify([data.legend, data.panels.map((panel) => panel.title)]);
    if (shape !== this.shape) this.build();
    this.shape = shape;
    this.draw();
  }

  leave() {
    this.point(null);
  }

  build() {
    const { data, root } = this;
    root.replaceChildren();
    const legend = make("ul", root, { class: "legend" });
    for (const row of data.legend) {
      const item = make("li", legend);
      swatch(item, row);
      make("span", item, {}, row.name);
    }
    const panels = make("div", root, { class: "panels" });
    this.panels = data.panels.map((panel) => {
      const box = make("div", panels, { class: "panel", role: "group", tabindex: 0 });
      make("h3", box, { "aria-hidden": "true" }, panel.title);
      const svg = make("svg", box, { "aria-hidden": "true" });
      const tip = make("ul", box, { class: "tip", hidden: "", "aria-hidden": "true" });
      const move = (event) => this.point(this.epochAt(event.clientX - svg.getBoundingClientRect().left));
      box.addEventListener("pointermove", move);
      box.addEventListener("pointerdown", move);
      box.addEventListener("pointerleave", () => this.point(null));
      box.addEventListener("blur", () => this.point(null));
      box.addEventListener("keydown", (event) => this.step(event, panel.name));
      return { box, svg, tip };
    });
    this.said = make("p", root, { class: "said", role: "status" });
  }

  get width() {
    return this.panels[0].svg.clientWidth || 400;
  }

  get height() {
    return this.panels[0].svg.clientHeight || 272;
  }

  x(epoch) {
    const { left, right } = SPACE;
    return left + ((this.width - left - right) * epoch) / this.data.epochs;
  }

  y(panel, value) {
    const { top, bottom } = SPACE;
    return top + (this.height - top - bottom) * (1 - value / panel.high);
  }

  epochAt(x) {
    const { left, right } = SPACE;
    const part = (x - left) / (this.width - left - right);
    return Math.min(1, Math.max(0, part)) * this.data.epochs;
  }

  draw() {
    if (!this.panels) return;
    this.data.panels.forEach((panel, place) => {
      const { box, svg } = this.panels[place];
      box.setAttribute("aria-label", panel.alt);
      svg.replaceChildren();
      this.drawFrame(svg, panel);
      const lines = this.drawCurves(svg, panel);
      this.drawTexts(svg, panel, lines);
      this.panels[place].pointer = make("g", svg);
    });
    this.drawPointer();
  }

  drawFrame(svg, panel) {
    const { width, height, data } = this;
    const { left, right, bottom } = SPACE;
    for (const tick of panel.ticks) {
      const y = this.y(panel, tick);
      make("line", svg, { class: "grid", x1: left, x2: width - right, y1: y, y2: y });
      make("text", svg, { x: left - 8, y: y + 4, "text-anchor": "end" }, String(tick));
    }
    for (const tick of data.ticks) {
      const x = this.x(tick);
      make("line", svg, { class: "grid", x1: x, x2: x, y1: this.y(panel, panel.high), y2: height - bottom });
      make("text", svg, { x, y: height - bottom + 18, "text-anchor": "middle" }, String(tick));
    }
    const middle = (left + width - right) / 2;
    make("text", svg, { x: middle, y: height - 4, "text-anchor": "middle" }, data.texts.epoch_axis);
    if (!panel.level) return;
    const y = this.y(panel, panel.level.at);
    make("line", svg, { class: "level", x1: left, x2: width - right, y1: y, y2: y });
  }

  /** Draw the curves; return where they go: their points, and what each point needs around it. */
  drawCurves(svg, panel) {
    return panel.curves.map((curve) => {
      const places = curve.x.map((x, i) => [this.x(x), this.y(panel, Math.min(curve.y[i], panel.high))]);
      const group = make("g", svg, { style: `color: ${curve.shade}`, "data-points": places.length });
      const line = { curve, group, places, isLine: curve.kind !== "marks", room: curve.kind === "line" ? LINE : MARK };
      if (!places.length) return line;
      if (curve.kind !== "marks") {
        const d = `M${places.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;
        make("path", group, { class: "course", d, "stroke-width": curve.kind === "line" ? 1.25 : 2 });
      }
      if (curve.kind === "dots" && places.length <= FEW)
        for (const [cx, cy] of places) make("circle", group, { class: "dot", cx, cy, r: 2.5 });
      if (curve.kind === "marks")
        for (const [x, y] of places) make("path", group, { class: "mark", d: symbolPath(curve.symbol, x, y, 6) });
      return line;
    });
  }

  /** Write what stands in the drawing: each text where no curve and no other text is. */
  drawTexts(svg, panel, lines) {
    const { width, height } = this;
    const { left, right, top, bottom } = SPACE;
    const taken = [];
    const ends = [
      { x: width - right, "text-anchor": "end" },
      { x: left + 8, "text-anchor": "start" },
      { x: (left + width - right) / 2, "text-anchor": "middle" },
    ];
    const write = (parent, attributes, text, tried, otherwise = tried[0]) => {
      const element = make("text", parent, attributes, text);
      const fits = ({ x, y, width: wide, height: high }) =>
        x >= left && x + wide <= width && y >= 0 && y + high <= height - bottom + 2;
      const put = (spot) => {
        for (const [key, value] of Object.entries(spot)) element.setAttribute(key, value);
        return element.getBBox();
      };
      const spot = tried.find((one) => {
        const box = put(one);
        return fits(box) && !taken.some((other) => overlap(box, other)) && this.isFree(box, lines);
      });
      taken.push(put(spot ?? otherwise));
    };
    for (const { curve, group, places } of lines) {
      if (!this.data.name_last || curve.kind !== "marks" || !places.length) continue;
      const [x, y] = places.at(-1);
      const isLast = x > width - right - 30;
      const across = isLast ? { x: x + 8, "text-anchor": "end" } : { x, "text-anchor": "middle" };
      const first = panel.name === "loss" ? [-12, 26] : [26, -12]; // falling curves have room above
      const tried = [0, 10, 20, 32, 46].flatMap((more) =>
        first.map((up) => ({ ...across, y: y + up + Math.sign(up) * more })),
      );
      write(group, { class: "value" }, this.written(panel, curve.y.at(-1)), tried);
    }
    if (panel.level) {
      const y = this.y(panel, panel.level.at);
      const away = Array.from({ length: 12 }, (_, more) => [-6 - 10 * more, 16 + 10 * more]).flat();
      // where a curve goes up and down everywhere, there is room above all of them alone
      const above = ends.map((end) => ({ ...end, y: top - 5 }));
      const beside = [...away.flatMap((up) => ends.map((end) => ({ ...end, y: y + up }))), ...above];
      write(svg, {}, panel.level.text, beside, above[0]);
    }
    if (panel.cut_off) {
      const below = [4, 20, 36].flatMap((down) => [1, 2, 0].map((end) => ({ ...ends[end], y: top + down })));
      write(svg, {}, panel.cut_off, below);
    }
  }

  isFree(box, lines) {
    return lines.every(({ places, isLine, room }) =>
      places.every((place, i) => {
        const next = isLine ? (places[i + 1] ?? place) : place;
        return !crosses(box, place, next, room);
      }),
    );
  }

  written(panel, value) {
    return value.toFixed(panel.digits) + panel.unit;
  }

  point(epoch) {
    this.at = epoch;
    this.drawPointer();
  }

  /** Move to the next or the previous point of the curve that has most to say, and say it. */
  step(event, name) {
    const panel = this.data.panels.find((one) => one.name === name);
    const known = panel.curves.filter((one) => one.kind !== "line").flatMap((one) => one.x);
    const all = known.length ? known : panel.curves.flatMap((one) => one.x);
    const epochs = [...new Set(all)].sort((a, b) => a - b);
    const last = epochs.length - 1;
    const now = this.at === null ? null : nearest(epochs, this.at);
    const places = { ArrowRight: (now ?? -1) + 1, ArrowLeft: (now ?? last + 1) - 1, Home: 0, End: last };
    const place = places[event.key];
    if (place === undefined || last < 0) return;
    event.preventDefault();
    this.point(epochs[Math.min(last, Math.max(0, place))]);
    const read = this.readings(panel).map(({ curve, value }) => `${curve.name}: ${this.written(panel, value)}`);
    this.said.textContent = [panel.title, this.when(), ...read].join("; ");
  }

  when() {
    return this.data.texts.at.replace("{epoch}", this.at.toFixed(2));
  }

  /** What each curve says at the epoch that is pointed at; nothing where it does not reach. */
  readings(panel) {
    const near = Math.max(0.02 * this.data.epochs, 0.05);
    return panel.curves.flatMap((curve) => {
      const place = nearest(curve.x, this.at);
      if (place < 0 || Math.abs(curve.x[place] - this.at) > near) return [];
      return [{ curve, epoch: curve.x[place], value: curve.y[place] }];
    });
  }

  drawPointer() {
    this.data?.panels.forEach((panel, place) => {
      const { pointer, tip } = this.panels[place];
      pointer.replaceChildren();
      const found = this.at === null ? [] : this.readings(panel);
      tip.hidden = !found.length;
      if (!found.length) return;
      const x = this.x(this.at);
      make("line", pointer, { class: "cross", x1: x, x2: x, y1: SPACE.top, y2: this.height - SPACE.bottom });
      tip.replaceChildren();
      make("li", tip, { class: "when" }, this.when());
      for (const { curve, epoch, value } of found) {
        const y = this.y(panel, Math.min(value, panel.high));
        make("circle", pointer, { class: "mark", cx: this.x(epoch), cy: y, r: 5, style: `color: ${curve.shade}` });
        const row = make("li", tip);
        swatch(row, curve);
        make("span", row, {}, curve.name);
        make("b", row, {}, this.written(panel, value));
      }
      // falling curves leave room at the top, rising ones below
      tip.style.top = panel.name === "loss" ? "" : `${this.height / 2}px`;
      const wide = tip.offsetWidth;
      const isRight = x + 16 + wide > this.width;
      tip.style.left = `${Math.max(0, isRight ? x - 16 - wide : x + 16)}px`;
    });
  }
}
