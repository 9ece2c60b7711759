// Screen 17: many pictures as points after the last block, and this one among them.

const MAP_NEAR = 10; // points that are counted
const MAP_ASKED = 50; // points from which it is asked among which one lies
const MAP_PAUSE = 400; // milliseconds on the screen until the server is asked
const MAP_REACH = 14; // pixels from a point that is pointed at
const MAP_MARGIN = 26; // pixels around the points
const MAP_LARGE = 0.6; // shares of the nearest from which most are, and below which some are, of a name
const MAP_SMALL = 0.3;

class MapScreen extends StoryScreen {
  build() {
    const { data, stage } = this;
    stage.classList.add("among");
    this.figure = make("figure", "cloud", stage);
    this.caption = make("figcaption", "caption", this.figure, this.text("curve"));
    const box = make("div", "plane", this.figure);
    this.plane = this.canvas(box, "", this.text("curve"));
    this.own = make("span", "own-point", box);
    this.own.hidden = true;
    const { canvas } = new StagePicture().set(data.arrays.image, data.image_height, data.image_width, data.channels);
    canvas.ariaHidden = "true";
    this.own.append(canvas);
    this.said = make("p", "said", this.figure);
    this.list = make("ul", "names", this.figure);
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(box);
    this.plane.addEventListener("pointermove", (event) => this.point(event));
    this.plane.addEventListener("pointerleave", () => setText(this.said, this.summary ?? ""));
    // what is known is drawn at once; who only passes by asks for nothing
    if (this.half.kept?.name === data.map_name) this.take(this.half.kept.map);
    else this.asking = setTimeout(() => this.load(), MAP_PAUSE);
  }

  /** What a window that asks for the answer waits for. */
  ready() {
    return this.load();
  }

  /** Ask the server for the points; the value is whether they are there. */
  async load() {
    clearTimeout(this.asking);
    const { quiet } = this.story;
    quiet.classList.remove("failed");
    const say = (share) => {
      if (this.isShown) setText(quiet, this.text("waiting", { share: percent(share) }));
    };
    try {
      say(0);
      const map = await this.half.map(({ share = 0 }) => say(share));
      if (!map || !this.isShown) return false;
      setText(quiet, "");
      this.take(map);
      return true;
    } catch {
      if (!this.isShown) return false;
      setText(quiet, this.text("failed"));
      quiet.classList.add("failed");
      return false;
    }
  }

  take(map) {
    this.map = map;
    if (map.few) {
      setText(this.said, this.text("few", { pictures: map.few }));
      return;
    }
    if (this.half.asksOfMap) {
      this.predict({ about: this.data.context, question: this.text("question"), options: this.texts.options });
      this.story.present?.offer();
    } else if (!this.isFirst) this.prediction = this.first.prediction;
    if (this.isFirst) this.task();
    setText(this.caption, this.text("pictures", { pictures: map.words }));
    const [mean, [right, up]] = [map.mean, map.directions];
    const along = (direction) => this.row.reduce((sum, value, at) => sum + (value - mean[at]) * direction[at], 0);
    this.place = [along(right), along(up)];
    this.nameClasses();
    this.draw();
    this.label();
  }

  /** The row from which the model answers, before its last normalisation. */
  get row() {
    const { data, half } = this;
    const { shape, data: rows } = this.trace.get(half.streamName(data.depth));
    const width = shape.at(-1);
    if (data.pool === "cls") return rows.slice(0, width);
    const patches = data.rows * data.columns;
    const mean = new Float64Array(width);
    for (let at = data.prefix_names.length * width; at < rows.length; at++) mean[at % width] += rows[at] / patches;
    return mean;
  }

  /** The names of the pictures' classes, few enough to have a colour each; empty else. */
  get classes() {
    const present = [...new Set(this.map.labels)].filter((label) => label >= 0).sort((one, other) => one - other);
    return present.length > 1 && present.length <= this.data.palette.length ? present : [];
  }

  colourOfClass(label) {
    const at = this.classes.indexOf(label);
    const { palette } = this.data;
    return at < 0 ? this.muted : palette[at][this.half.look.isDark ? 1 : 0];
  }

  get muted() {
    return this.half.look.isDark ? "#a3a9b4" : "#5b6069";
  }

  nameOf(label) {
    return this.data.class_names[label] ?? String(label);
  }

  /** Names of one letter stand on the plane themselves; longer ones have a list. */
  get isWritten() {
    return this.classes.length > 0 && this.classes.every((label) => this.nameOf(label).length === 1);
  }

  nameClasses() {
    if (this.isWritten) return;
    this.list.replaceChildren(
      ...this.classes.map((label) => {
        const item = make("li", "", null, this.nameOf(label));
        item.style.setProperty("--dot", this.colourOfClass(label));
        return item;
      }),
    );
  }

  /** Where a point of the plane lies on the canvas. */
  scale() {
    const { points } = this.map;
    const { clientWidth: width, clientHeight: height } = this.plane;
    const all = this.isOpen ? [...points, this.place] : points;
    const ends = [0, 1].map((axis) => {
      const along = all.map((point) => point[axis]);
      return [Math.min(...along), Math.max(...along)];
    });
    const size = [width, height].map((pixels) => Math.max(1, pixels - 2 * MAP_MARGIN));
    const unit = Math.min(...ends.map(([low, high], axis) => size[axis] / (high - low || 1)));
    const [[left, right], [bottom, top]] = ends;
    return ([x, y]) => [
      width / 2 + unit * (x - (left + right) / 2),
      height / 2 - unit * (y - (bottom + top) / 2),
    ];
  }

  draw() {
    const { plane: canvas, map } = this;
    if (!map?.points || !canvas.clientWidth) return;
    const { labels, predicted, points } = map;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const at = this.scale();
    this.spots = points.map(at);
    const size = points.length > 600 ? 11 : 15;
    Object.assign(context, { textAlign: "center", textBaseline: "middle", lineWidth: 1.5 });
    context.font = `600 ${size}px ${getComputedStyle(canvas).fontFamily || "sans-serif"}`;
    this.spots.forEach(([x, y], index) => {
      context.fillStyle = context.strokeStyle = this.colourOfClass(labels[index]);
      context.globalAlpha = 0.85;
      if (this.isWritten && labels[index] >= 0) context.fillText(this.nameOf(labels[index]), x, y);
      else {
        context.beginPath();
        context.arc(x, y, size / 3.4, 0, 2 * Math.PI);
        context.fill();
      }
      if (labels[index] >= 0 && predicted[index] !== null && predicted[index] !== labels[index]) {
        context.globalAlpha = 1;
        context.strokeRect(x - size * 0.65, y - size * 0.65, 1.3 * size, 1.3 * size);
      }
    });
    this.own.hidden = !this.isOpen;
    if (!this.isOpen) return;
    const [x, y] = at(this.place);
    this.own.style.left = `${x}px`;
    this.own.style.top = `${y}px`;
  }

  /** How many of the points nearest to this picture have a name. */
  near(label) {
    const [x, y] = this.place;
    const far = this.map.points.map(([right, up], at) => [Math.hypot(right - x, up - y), this.map.labels[at]]);
    const nearest = far.sort(([one], [other]) => one - other).slice(0, MAP_NEAR);
    return { near: nearest.filter(([, other]) => other === label).length, count: nearest.length };
  }

  get answer() {
    return largestOf(this.half.outcomes);
  }

  label() {
    const { points } = this.map;
    this.summary = "";
    if (this.isOpen && this.half.asksOfMap) {
      const { near, count } = this.near(this.answer);
      this.summary = this.text("near", { near, count, answer: this.nameOf(this.answer) });
    }
    setText(this.said, this.summary);
    const told = [this.text("described", { count: points.length }), this.summary];
    this.plane.setAttribute("aria-label", told.filter(Boolean).join(" "));
  }

  point(event) {
    if (!this.spots) return;
    const box = this.plane.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [best, least] = [-1, MAP_REACH];
    this.spots.forEach(([right, down], at) => {
      const far = Math.hypot(right - x, down - y);
      if (far < least) [best, least] = [at, far];
    });
    setText(this.said, best < 0 ? (this.summary ?? "") : this.sayPoint(best));
  }

  sayPoint(at) {
    const { labels, predicted } = this.map;
    if (labels[at] < 0) return this.text("unknown");
    const name = this.nameOf(labels[at]);
    if (predicted[at] === null) return name;
    const taken = this.nameOf(predicted[at]);
    return this.text(labels[at] === predicted[at] ? "right_point" : "wrong_point", { name, taken });
  }

  async predicted(index) {
    if (!this.map?.points || this.prediction.isClosed) return;
    const { options } = this.prediction;
    const { near, count } = this.near(this.answer);
    const share = near / count;
    const right = share >= MAP_LARGE ? 0 : share >= MAP_SMALL ? 1 : 2;
    const result = this.text("near", { near, count, answer: this.nameOf(this.answer) });
    const isShown = this.prediction.settle({ given: options[index], right: options[right], result });
    if (isShown) this.each((screen) => screen.open());
  }

  open() {
    if (!this.map?.points) return;
    this.draw();
    this.label();
  }

  showMe() {
    this.own.animate?.([{ scale: 2.5 }, { scale: 1 }], { duration: 900 });
  }

  refresh() {
    this.sizes?.disconnect();
    clearTimeout(this.asking);

    this.map = this.spots = null;
    super.refresh();
  }

  leave() {
    clearTimeout(this.asking);
    this.sizes?.disconnect();
    this.stage.classList.remove("among");
    setText(this.story.quiet, "");
  }
}
