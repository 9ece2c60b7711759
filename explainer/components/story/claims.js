// Screens 14 and 15: maps that claim to show what an answer relied on, and a test of such a claim.

const CLAIM_STEPS = 14; // in which all patches fall away, as vit_core.interpret.deletion has it
const CLAIM_STEPS_ASKED = 7; // of a model that only the server can run
const CLAIM_DRAWS = 3; // random orders, whose mean is shown
const CLAIM_MARGIN = 0.05; // of the curve's height, below which two orders do about the same
const CLAIM_PACE = 500; // milliseconds between two steps

/** The maps of a half and their names, in the order in which the first half shows them. */
class StoryClaims extends StoryScreen {
  get count() {
    return this.data.rows * this.data.columns;
  }

  /** The methods of this half's maps; their order is the same for all who see this picture. */
  get names() {
    const { claims, context } = this.first.data;
    const order = claims.length > 1 ? shuffledOrder(claims.length, drawnFor(context)) : [0];
    const shown = order.map((at) => claims[at]).filter((name) => this.data.claims.includes(name));
    return [...shown, ...this.data.claims.filter((name) => !shown.includes(name))];
  }

  values(name) {
    return this.data.arrays[`claim_${name}`];
  }

  method(name) {
    return this.data.frame[`method_${name}`];
  }
}

class WhereScreen extends StoryClaims {
  build() {
    const { data, stage, names } = this;
    stage.classList.add("claims");
    const whole = make("figure", "", stage);
    make("figcaption", "caption", whole, this.text("picture"));
    this.boards = [this.board(whole, { label: data.frame.picture })];
    this.captions = names.map((name, at) => {
      const figure = make("figure", "", stage);
      const caption = make("figcaption", "caption", figure);
      const title = make("b", "", caption);
      const said = make("span", "said", caption);
      const board = this.board(figure, { label: this.mapName(at), choose: (patch) => this.pin(patch) });
      const values = this.values(name);
      const least = Math.min(0, ...(name === "ink" ? values : [])); // only ink has no zero of its own
      board.veil(Float32Array.from(values, (value) => Math.max(0, value - least)));
      this.boards.push(board);
      return { title, said, board };
    });
    if (names.length > 1 && this.count > 1) {
      this.predict({
        about: data.context,
        question: this.text("question"),
        options: names.map((_, at) => this.mapName(at)),
      });
    }
    if (this.isOpen && this.count > 1) this.open();
    this.label();
  }

  mapName(at) {
    return this.text("map", { number: at + 1 });
  }

  label() {
    const { names } = this;
    this.captions.forEach(({ title, board }, at) => {
      const name = this.isOpen ? `${this.mapName(at)}: ${this.method(names[at])}` : this.mapName(at);
      setText(title, name);
      const best = largestOf(this.values(names[at]));
      board.cells.setAttribute("aria-label", `${name}. ${this.text("most", { patch: this.half.patchName(best) })}`);
    });
  }

  predicted(index, option) {
    const right = this.mapName(this.names.indexOf("ink"));
    const isShown = this.prediction.settle({ given: option, right, result: this.text("result", { map: right }) });
    if (!isShown) return;
    this.each((screen) => {
      screen.open();
      screen.label();
    });
  }

  open() {
    this.task();
    make("p", "note", this.words, this.text("note"));
  }

  showMe() {
    const { board } = this.captions[this.names.indexOf("ink")];
    board.patches[largestOf(this.values("ink"))].cell.focus({ focusVisible: true });
  }

  /** Keep pointing at a patch. */
  pin(patch) {
    for (const screen of this.story.screens) screen.pinned = this.half.patchIn(screen.half, patch);
    this.pointAt(patch);
  }

  showPointed(patch, byKeyboard = false) {
    const shown = patch ?? this.pinned ?? null;
    for (const board of this.boards) board.mark("pointed", shown);
    const told = this.captions.map(({ said, title }, at) => {
      const values = this.values(this.names[at]);
      const place = shown === null ? "" : this.text("place", { place: placeOf(values, shown), count: this.count });
      setText(said, place);
      return `${title.textContent}: ${place}`;
    });
    if (byKeyboard) this.story.announce(told.join("; "));
  }

  leave() {
    this.stage.classList.remove("claims");
  }
}

class TruthScreen extends StoryClaims {
  build() {
    const { data, stage } = this;
    stage.classList.add("truth");
    this.at = 0;
    this.answer = data.has_head ? largestOf(outcomeOf(this.trace)) : -1;
    this.playing = this.orders.includes(this.playing) ? this.playing : this.tested;
    this.patches = this.board(make("div", "left", stage));
    const right = make("div", "right", stage);
    this.meter = new StageBars(make("div", "meter", right));
    this.plot = new ClaimPlot(right, this);
    const line = make("div", "scrub", stage);
    this.player = this.button(line, "play", () => this.first.play());
    this.slider = make("input", "", line);
    Object.assign(this.slider, { type: "range", min: 0, max: this.counts.length - 1, step: 1, value: 0 });
    this.slider.setAttribute("aria-label", this.text("slider"));
    this.slider.addEventListener("input", () => {
      this.first.pause();
      this.turn(Number(this.slider.value));
    });
    this.said = make("output", "", line);
    this.slider.disabled = this.player.disabled = true;
    if (this.tested) {
      this.predict({ about: data.context, question: this.text("question"), options: this.texts.options });
    }
    this.show();
    if (this.isOpen) this.open();
  }

  /** The map whose claim is tested: the first that has asked the model; none of a single patch. */
  get tested() {
    if (this.count < 2) return undefined;
    return this.data.claims.find((name) => name !== "ink") ?? this.data.claims[0];
  }

  /** The orders in which patches fall away. */
  get orders() {
    return this.count < 2 ? [] : [...this.data.claims, "random"];
  }

  /** How many patches are gone at each step; one always stays, so that there is something to ask. */
  get counts() {
    const { count } = this;
    const steps = Math.min(count, this.half.isAsked ? CLAIM_STEPS_ASKED : CLAIM_STEPS);
    const all = Array.from({ length: steps + 1 }, (_, step) => Math.floor((2 * step * count + steps) / (2 * steps)));
    return all.filter((gone) => gone < count);
  }

  /** The patches in the order in which they fall away; random orders are several. */
  ordersOf(name) {
    if (name === "random") {
      const random = drawnFor(this.data.context);
      const draws = this.half.isAsked ? 1 : CLAIM_DRAWS;
      return Array.from({ length: draws }, () => shuffledOrder(this.count, random));
    }
    const values = this.values(name);
    const patches = Array.from({ length: this.count }, (_, patch) => patch);
    return [patches.sort((one, other) => values[other] - values[one] || one - other)];
  }

  /** How much of the answer is left: its share, or without a head the likeness of the features. */
  left(outcome) {
    return this.answer < 0 ? likeness(outcomeOf(this.trace), outcome) : outcome[this.answer];
  }

  write(left) {
    return this.answer < 0 ? left.toFixed(2) : percent(left);
  }

  /** What is left at each step in an order, if it is known. */
  curve(name) {
    return this.half.measured.get(`gone ${name}`);
  }

  /** Let the patches fall away in an order; null if another screen or picture is shown meanwhile. */
  async measure(name) {
    if (this.curve(name)) return this.curve(name);
    const { half, counts, story } = this;
    const { context } = this.data;
    const orders = this.ordersOf(name);
    const curve = new Float64Array(counts.length);
    let done = 0;
    for (const order of orders) {
      for (const [at, gone] of counts.entries()) {
        const cover = Object.fromEntries(order.slice(0, gone).map((patch) => [patch, "drop"]));
        const outcome = gone ? await half.outcome({ cover }) : outcomeOf(this.trace);
        if (!outcome || !this.isShown || this.data.context !== context) return null;
        curve[at] += this.left(outcome) / orders.length;
        done += 1;
        if (this.isFirst) setText(story.quiet, this.text("asked", { done, count: orders.length * counts.length }));
      }
    }
    if (this.isFirst) setText(story.quiet, "");
    half.measured.set(`gone ${name}`, curve);
    return curve;
  }

  /** The mean height of a curve. */
  height(curve) {
    const { counts } = this;
    let area = 0;
    for (let at = 1; at < curve.length; at++) area += ((counts[at] - counts[at - 1]) * (curve[at] + curve[at - 1])) / 2;
    return area / counts.at(-1);
  }

  /** After how many patches half is gone, as a text. */
  halfGone(curve) {
    const at = curve.findIndex((left) => left <= curve[0] / 2);
    return at < 0 ? this.text("never", { gone: this.counts.at(-1) }) : String(this.counts[at]);
  }

  async predicted(index) {
    const { tested } = this;
    const random = await this.measure("random");
    const curve = random && (await this.measure(tested));
    if (!curve || !this.isShown || this.prediction.isClosed) return;
    const { options } = this.prediction;
    const gained = this.height(random) - this.height(curve);
    const margin = CLAIM_MARGIN * Math.abs(curve[0]);
    const values = { map: this.halfGone(curve), random: this.halfGone(random), count: this.count };
    const isShown = this.prediction.settle({
      given: options[index],
      right: options[gained > margin ? 0 : gained < -margin ? 2 : 1],
      result: this.text("result", values),
    });
    if (isShown) this.each((screen) => screen.open());
  }

  showMe() {
    this.play();
  }

  /** The experiment: each order, played. */
  async open() {
    if (!this.tested) return;
    this.slider.disabled = this.player.disabled = false;
    if (this.isFirst) this.offerOrders();
    this.show();
    for (const name of [this.playing, ...this.orders]) {
      if (!(await this.measure(name))) return;
      this.show();
    }
  }

  offerOrders() {
    this.task();
    const tools = make("div", "toggle orders", this.words);
    tools.role = "group";
    tools.setAttribute("aria-label", this.text("choose"));
    this.buttons = this.orders.map((name) => {
      const button = make("button", `quiet ${name}`, tools);
      make("i", "dash", button).ariaHidden = "true";
      button.append(this.method(name));
      button.type = "button";
      button.addEventListener("click", () => {
        this.pause();
        this.each((screen) => {
          if (screen.orders.includes(name)) screen.playing = name;
          screen.at = 0;
          screen.show();
        });
        this.play();
      });
      return [name, button];
    });
    make("p", "note", this.words, this.text("note"));
  }

  turn(at) {
    this.each((screen) => {
      screen.at = Math.min(at, screen.counts.length - 1);
      screen.show();
    });
  }

  show() {
    const { counts, playing, patches, data } = this;
    this.at = Math.min(this.at, counts.length - 1);
    const gone = counts[this.at];
    for (const [name, button] of this.buttons ?? []) button.setAttribute("aria-pressed", name === playing);
    patches.remove(new Set(playing ? this.ordersOf(playing)[0].slice(0, gone) : []));
    const curve = playing && this.curve(playing);
    const left = curve?.[this.at] ?? (this.at ? null : this.left(outcomeOf(this.trace)));
    const name = data.has_head ? data.class_names[this.answer] : this.text("likeness");
    if (left !== null) {
      this.meter.show([name], [Math.max(0, left)]);
      if (!data.has_head) setText(this.meter.list.querySelector(".value"), this.write(left));
    }
    const told = left === null ? "" : `, ${name}: ${this.write(left)}`;
    const text = `${this.text("gone", { gone, count: this.count })}${told}`;
    setText(this.said, this.text("gone", { gone, count: this.count }));
    this.slider.value = this.at;
    this.slider.setAttribute("aria-valuetext", text);
    this.plot.draw();
  }

  play() {
    if (this.timer) {
      this.pause();
      return;
    }
    const last = Math.max(...this.story.screens.map(({ counts }) => counts.length - 1));
    let at = this.at < this.counts.length - 1 ? this.at : 0;
    this.turn(at);
    this.each(({ player }) => setText(player, this.text("pause")));
    this.timer = setInterval(() => {
      at += 1;
      this.turn(at);
      if (at >= last) this.pause();
    }, CLAIM_PACE);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.each(({ player }) => setText(player, this.text("play")));
  }

  refresh() {
    const { at } = this;
    clearInterval(this.timer);
    this.timer = this.buttons = null;
    super.refresh();
    this.at = at;
    this.show();
  }

  leave() {
    clearInterval(this.timer);
    this.timer = null;
    this.stage.classList.remove("truth");
    setText(this.story.quiet, "");
  }
}

/** What is left of the answer over how many patches are gone: a line for each order. */
class ClaimPlot {
  constructor(parent, screen) {
    this.screen = screen;
    const figure = make("figure", "claim-curves", parent);
    make("figcaption", "caption", figure, screen.text("curve"));
    this.plot = make("div", "plot", figure);
    this.plot.role = "img";
    this.svg = document.createElementNS(STORY_SVG, "svg");
    this.svg.setAttribute("viewBox", "0 0 100 100");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.ariaHidden = "true";
    this.plot.append(this.svg);
    make("span", "tick top", this.plot, screen.write(1));
    this.lines = new Map(
      screen.orders.map((name) => {
        const path = document.createElementNS(STORY_SVG, "path");
        path.setAttribute("class", `claim-line ${name}`);
        this.svg.append(path);
        return [name, path];
      }),
    );
    this.now = make("i", "point", this.plot);
    const axis = make("p", "axis", figure);
    for (const text of ["0", screen.text("axis"), String(screen.count)]) make("span", "", axis, text);
    this.legend = make("ul", "claim-legend", figure);
  }

  draw() {
    const { screen } = this;
    const { counts, count, playing, isOpen } = screen;
    const known = screen.orders.filter((name) => isOpen && screen.curve(name));
    for (const [name, path] of this.lines) {
      const curve = known.includes(name) ? screen.curve(name) : [];
      const points = Array.from(curve, (left, at) => `${(100 * counts[at]) / count} ${100 - 100 * Math.max(0, left)}`);
      path.setAttribute("d", points.length ? `M${points.join("L")}` : "");
      path.classList.toggle("playing", name === playing);
    }
    const curve = known.includes(playing) ? screen.curve(playing) : null;
    this.now.hidden = !curve;
    if (curve) {
      this.now.style.left = `${(100 * counts[screen.at]) / count}%`;
      this.now.style.top = `${100 - 100 * Math.max(0, curve[screen.at])}%`;
    }
    this.legend.replaceChildren(
      ...known.map((name) => {
        const item = make("li", name);
        make("i", "dash", item).ariaHidden = "true";
        const height = screen.write(screen.height(screen.curve(name)));
        item.append(screen.text("mean", { map: screen.method(name), height }));
        return item;
      }),
    );
    const told = known.map((name) => screen.text("described", { map: screen.method(name), gone: screen.halfGone(screen.curve(name)) }));
    this.plot.setAttribute("aria-label", [screen.text("curve"), ...told].join(". "));
  }
}
