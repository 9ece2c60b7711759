// Home: a pad, what a model makes of the digit on it, and every step between as one picture.
//
// While the pen is down the pass runs in the browser (live/). When it rests, the server gets the
// drawing; its trace takes the place of the browser's, and both are compared.

const LEAVING = ["pointerdown", "click"]; // by keyboard, a click comes alone

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".home");
  const home = keptFor(root, () => new Home(root));
  home.tell = (asked) => setTriggerValue("asked", asked);
  home.update(unpack(data));
  return () => home.leave();
}

class Home {
  constructor(root) {
    this.root = root;
    this.painted = new PaintedTrace();
    this.canvas = make("canvas", "picture", root);
    this.canvas.ariaHidden = true;
    this.padside = make("div", "padside", root);
    this.middle = make("div", "middle", root);
    this.verdict = make("div", "verdict", this.middle);
    this.says = make("p", "says", this.verdict);
    this.answer = make("p", "answer", this.verdict);
    this.truth = make("p", "judged", this.verdict);
    this.actions = make("div", "actions", this.middle);
    this.film = new Film(this, this.middle);
    this.barside = make("div", "barside", root);
    this.bars = new StageBars(this.barside);
    this.features = make("canvas", "features pixelated", this.barside);
    this.features.role = "img";
    this.stages = make("div", "stages", root);
    this.stages.role = "group";
    this.follow = new Follow(this);
    this.labels = make("div", "labels", this.stages);
    this.followed = make("p", "followed", this.stages);
    this.source = make("p", "source", root);
    this.description = make("p", "announcement", root);
    this.announce = announcer(root);
    this.buttons = {};
    this.frame = () => this.draw();
    this.elsewhere = (event) => event.composedPath().includes(root) || this.goElsewhere(event);
    this.resizing = new ResizeObserver(() => this.resized());
  }

  // ---- what the server sends

  update(data) {
    const { texts, pages, stages, others, prefix_names: prefix, is_pad: isPad, has_head: hasHead } = data;
    const { rows, columns, depth, image_width: width, image_height: height } = data;
    const words = { ...texts, verdict: null };
    const built = [isPad, hasHead, rows, columns, depth, width, height, prefix, others, pages, stages, words];
    const shape = JSON.stringify(built);
    this.data = data;
    setMarks(this.root, data.colours);
    this.look = stageLook(this.root, data.colours);
    this.trace = readTrace(data);
    if (shape !== this.shape) this.build();
    else this.layout = null;
    this.shape = shape;
    this.resizing.observe(this.root);
    this.root.getRootNode().host?.toggleAttribute("data-is-there", true); // the page's style lets go of its room
    for (const kind of LEAVING) document.addEventListener(kind, this.elsewhere, true);
    this.listen();
    this.openLive();
    if (data.is_pad) {
      this.pad.side = data.side;
      this.pad.send = (asked) => this.tell(asked);
      this.pad.take28(data.arrays.image, data.picture, data.name);
      const isAnswer = this.pad.isUntouched || (data.name && data.name === left.name);
      if (this.pad.isBusy || !isAnswer) return; // it answers to something older
    } else {
      paintPixels(this.frameElement, data);
    }
    this.isAhead = false;
    this.show(this.trace, data.arrays.image);
    this.compare();
  }

  leave() {
    this.live?.close();
    this.live = this.liveHash = null;
    this.resizing.disconnect();
    for (const kind of LEAVING) document.removeEventListener(kind, this.elsewhere, true);
    this.pad?.forget();
    this.channel?.listeners.delete(this.listener);
    this.channel = null;
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    this.film.pause();
  }

  listen() {
    const channel = channelOf(this.data.channel);
    if (channel === this.channel) return;
    this.channel?.listeners.delete(this.listener);
    this.channel = channel;
    this.listener = ({ query }) => {
      this.follow.keep(query === null || query >= this.data.tokens ? null : query);
      this.followChanged(false);
    };
    channel.listeners.add(this.listener);
    if (channel.choice) this.listener(channel.choice);
  }

  build() {
    const { data } = this;
    const { texts } = data;
    this.film.close();
    this.padside.replaceChildren();
    this.pad = null;
    if (data.is_pad) {
      const holder = make("div", "pad", this.padside);
      this.pad = new HomePad(holder, texts.pad, this);
      this.frameElement = this.pad.frame;
    } else {
      const photo = make("canvas", "photo", this.padside);
      photo.role = "img";
      photo.setAttribute("aria-label", texts.photo);
      this.frameElement = photo;
    }
    this.bars.list.hidden = !data.has_head;
    this.features.hidden = data.has_head;
    this.stages.setAttribute("aria-label", texts.stages_label);
    this.buildActions();
    this.buildLabels();
    this.follow.build(data);
  }

  buildActions() {
    const { texts, pages } = this.data;
    this.actions.replaceChildren();
    const button = (name, act) => {
      const made = make("button", name, this.actions, texts.actions[name]);
      made.type = "button";
      made.addEventListener("click", act);
      this.buttons[name] = made;
    };
    button("film", () => this.film.open());
    for (const name of ["story", "train"]) {
      if (pages[name] !== undefined) this.link(this.actions, name, name, texts.actions[name]);
    }
    saveButton(this.actions, this.data.save.texts, () => this.takePicture());
    for (const name of this.data.others) {
      button(name, () => {
        this.pad?.forget();
        this.tell({ other: name });
      });
    }
  }

  /** The picture as a PNG, in the colours of paper. */
  async takePicture() {
    const { data, layout } = this;
    const own = this.isAhead ? data.save.own : {}; // a drawing that the server has not heard of yet
    const look = paperLook(this.root, data.colours);
    const painted = new PaintedTrace();
    painted.set(this.painted.trace, this.isAhead ? this.pixels() : data.arrays.image, data, look);
    const canvas = make("canvas");
    canvas.width = PAPER.zoom * layout.width;
    canvas.height = PAPER.zoom * layout.height;
    const context = canvas.getContext("2d");
    context.scale(PAPER.zoom, PAPER.zoom);
    const { probabilities } = this;
    const drawn = { layout, look, data, painted, followed: this.lit(), at: this.scene(), probabilities, moves: false };
    drawHome(context, drawn);
    const save = { ...data.save, ...own };
    const blob = await savedPicture(
      this.root,
      { title: save.title, where: save.where, lines: savedLines(save) },
      { without: ".actions, .pad .tools, .source, .followed", painted: new Map([[this.canvas, canvas]]) },
    );
    return { blob, name: "home.png" };
  }

  buildLabels() {
    const { texts, stages } = this.data;
    this.labels.replaceChildren();
    this.labelled = stages.map(({ view, place }) => ({
      place,
      element: this.link(this.labels, "", view, texts.stages[view]),
    }));
  }

  /** A link to a view that keeps the address's parameters, and opens inside the running app. */
  link(parent, className, view, text) {
    const element = make("a", className, parent, text);
    const aim = () => (element.href = this.address(view));
    aim();
    for (const event of ["pointerenter", "pointerdown", "focus"]) element.addEventListener(event, aim);
    element.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.tell({ view, ...this.pad?.unasked() });
    });
    return element;
  }

  /**
   * Take the drawing along with somebody who presses or clicks outside of this component.
   *
   * A page and a drawing that the server does not have yet are asked for in one message: of two, the
   * one that comes last would win, and either lose the drawing or lead back to this page.
   */
  goElsewhere(event) {
    const opensTab = event.ctrlKey || event.metaKey || event.shiftKey || event.button;
    const view = opensTab ? undefined : this.viewOf(event);
    if (view === undefined) {
      this.pad?.flush();
      return;
    }
    const asked = event.type === "click" && this.pad?.unasked();
    if (!asked) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.tell({ view, ...asked });
  }

  /** The view whose link an event meets; undefined where that is none of another page. */
  viewOf(event) {
    const link = event.composedPath().find((one) => one.tagName === "A" && one.href);
    if (!link || link.target === "_blank" || link.origin !== location.origin) return undefined;
    const { pages } = this.data;
    return Object.keys(pages).find((view) => new URL(pages[view], location.href).pathname === link.pathname);
  }

  address(view) {
    const params = new URLSearchParams(location.search);
    for (const name of this.data.page_local) params.delete(name);
    const query = params.toString();
    return this.data.pages[view] + (query && `?${query}`);
  }

  // ---- the pen

  /** Have somebody run the model while the pen is down: this browser, or for a large one the server. */
  openLive() {
    const { browser, line } = this.data;
    const hash = browser?.hash ?? line;
    if (hash === this.liveHash) return;
    this.live?.close();
    this.liveHash = hash;
    this.live = browser ? openLive(browser) : line ? openServerLine(line) : null;
    const { live } = this;
    live?.ready.catch(() => this.leaveLive(live));
  }

  /** Leave the answer to the server, once the pen rests. An answer that a line has lost ends nothing. */
  leaveLive(live) {
    if (live === this.live && this.data.browser) this.live = null;
  }

  /** The visitor made other ink: what the pad shows is newer than what the server knows. */
  inked() {
    this.isAhead = true;
    this.film.close();
    this.isDirty = true;
    if (!this.live) setText(this.source, this.data.texts.source.waiting);
    this.redraw();
  }

  /** What the model would get now. */
  pixels() {
    if (this.pad.isUntouched) return this.data.arrays.image;
    return centred(this.pad.ink(), this.data.side);
  }

  async askLive() {
    this.isDirty = false;
    const { live } = this;
    if (!live) return;
    const pixels = this.pixels();
    const started = performance.now();
    try {
      const trace = await live.ask(pixels);
      if (!trace || !this.isAhead) return;
      this.show(trace, pixels);
      const took = performance.now() - started;
      const { browser, line } = this.data.texts.source;
      const text = this.data.browser ? browser : line;
      setText(this.source, fill(text, { milliseconds: Math.round(took) }));
    } catch {
      this.leaveLive(live);
    }
  }

  /** Run the picture of the server's trace in the browser as well, and say whether both agree. */
  async compare() {
    const { texts, arrays } = this.data;
    const trace = this.trace;
    setText(this.source, texts.source.server);
    this.root.classList.remove("differs");
    const { live } = this;
    if (!live || !this.data.browser) return;
    try {
      const mine = await live.ask(arrays.image);
      if (!mine || this.trace !== trace || this.isAhead) return;
      const difference = furthest(mine, trace);
      const agrees = difference <= AGREES;
      this.root.classList.toggle("differs", !agrees);
      const text = texts.source[agrees ? "agree" : "differ"];
      setText(this.source, fill(text, { difference: roughly(difference) }));
    } catch {
      this.leaveLive(live);
    }
  }

  // ---- what is shown

  /** Show a trace; ``data-shown`` counts them, ``data-shape`` says what their model is like. */
  show(trace, pixels) {
    this.painted.set(trace, pixels, this.data, this.look);
    const { data } = this;
    this.root.dataset.shown = Number(this.root.dataset.shown ?? 0) + 1;
    this.root.dataset.shape = `${data.tokens} x ${data.width} x ${data.depth}`;
    if (data.has_head) {
      const all = softmaxOf(trace.get("logits").data);
      this.probabilities = data.shown.map((index) => all[index]);
    } else {
      this.probabilities = [];
      const size = { image_width: data.columns, image_height: data.rows, channels: 3 };
      paintPixels(this.features, { ...size, arrays: { image: data.arrays.features } });
      this.features.setAttribute("aria-label", data.texts.verdict.features);
    }
    this.best = this.probabilities.reduce((best, value, index, all) => (value > all[best] ? index : best), 0);
    this.showAnswer();
    this.followChanged(false);
    this.redraw();
  }

  showAnswer() {
    const { data, probabilities, best } = this;
    const at = this.scene();
    const grown = eased(at.answer);
    const truth = this.isAhead ? -1 : data.truth;
    if (data.has_head) {
      const isKnown = grown > 0.5; // the film keeps the answer for its end
      this.bars.show(data.names, probabilities, { truth: isKnown ? truth : -1, grown });
      const { verdict } = data.texts;
      setText(this.says, data.is_trained ? verdict.says : verdict.guesses);
      setText(this.answer, isKnown ? `${data.names[best]}` : "?");
      this.answer.classList.toggle("word", data.names[best].length > 2);
      const judged = truth < 0 ? verdict.own : best === truth ? verdict.right : verdict.wrong;
      setText(this.truth, isKnown ? `${percent(probabilities[best])} · ${judged}` : "\u00a0");
      this.truth.className = `judged ${truth < 0 || !isKnown ? "" : best === truth ? "good" : "bad"}`;
    } else {
      setText(this.says, data.texts.verdict.features);
      setText(this.answer, "");
      setText(this.truth, "");
    }
    setText(this.description, this.worded(data.texts.description));
    if (!this.pad?.isBusy && !this.film.isOpen && data.has_head) {
      this.announce(this.worded(data.texts.announced));
    }
  }

  /** A text with the numbers of this model and this answer. */
  worded(text) {
    const { data } = this;
    return fill(text, {
      patches: data.rows * data.columns,
      width: data.width,
      depth: data.depth,
      tokens: data.tokens,
      classes: data.names.length,
      answer: data.names[this.best] ?? "",
      share: data.has_head ? percent(this.probabilities?.[this.best] ?? 0) : "",
    });
  }

  /** The token that is lit up: pointed at, kept, or the patch with the most to tell. */
  lit() {
    const { pointed, kept } = this.follow;
    if (pointed !== null) return pointed;
    if (kept !== null) return kept;
    return this.film.isOpen || this.isAhead ? null : this.data.telling;
  }

  followChanged(says) {
    const { data } = this;
    if (!data || !this.painted.trace) return;
    const { pointed, kept } = this.follow;
    const token = pointed ?? kept;
    const text = token === null ? data.texts.follow.hint : this.followText(token, kept === token);
    setText(this.followed, text);
    if (says) this.announce(text);
    this.redraw();
  }

  followText(token, isKept) {
    const { data } = this;
    const { follow } = data.texts;
    const { size, weights } = attentionOf(this.painted.trace, data.depth - 1);
    let most = 0;
    for (let key = 1; key < size; key++) {
      if (weights[token * size + key] > weights[token * size + most]) most = key;
    }
    const text = fill(isKept ? follow.kept : follow.pointed, {
      token: tokenName(data, token),
      block: data.depth,
      other: most === token ? follow.itself : tokenName(data, most),
      share: percent(weights[token * size + most]),
    });
    return text[0].toUpperCase() + text.slice(1);
  }

  scene() {
    return this.film.isOpen ? sceneAt(this.film.scenes, this.film.time) : wholeScene(this.data);
  }

  // ---- frames

  redraw() {
    this.waiting ||= requestAnimationFrame(this.frame);
  }

  get isNarrow() {
    return this.root.clientWidth < 560;
  }

  resized() {
    if (!this.data || !this.root.isConnected) return;
    this.layout = null;
    this.redraw();
  }

  measure() {
    this.layout = homeLayout({
      root: this.root,
      stages: this.stages,
      labels: this.labels,
      frame: this.frameElement,
      bars: this.barside,
      data: this.data,
    });
    const box = this.stages.getBoundingClientRect();
    const stagesBox = { x: box.x - this.layout.origin.x, y: box.y - this.layout.origin.y };
    this.follow.place(this.layout, this.data, stagesBox);
    if (!this.isNarrow) placeLabels(this.labelled, this.layout, stagesBox);
  }

  draw() {
    this.waiting = 0;
    if (!this.painted.trace || !this.root.isConnected) return;
    const goesOn = this.film.isOpen && this.film.tick(performance.now());
    if (this.isDirty) this.askLive();
    if (this.film.isOpen) this.showAnswer();
    if (!this.layout) this.measure();
    const { layout } = this;
    if (!layout.width) return;
    const context = sharpen(this.canvas, layout.width, layout.height);
    drawHome(context, {
      layout,
      look: this.look,
      data: this.data,
      painted: this.painted,
      followed: this.lit(),
      at: this.scene(),
      probabilities: this.probabilities,
      moves: this.film.isOpen,
    });
    if (goesOn) this.redraw();
  }
}
