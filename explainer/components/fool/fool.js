// One screen to play with: picture, bars, and heads as light switches. What is changed is computed here.

const FOOL_LINE = "fool-line"; // on which the server is asked about a large model
const FOOL_TELL = 900; // milliseconds of rest until the server hears of the changes
const FOOL_GOES_ON = 1200; // milliseconds in which keys and the slider go on with one move
const FOOL_LEAVE = 300; // milliseconds after which a page that was taken away has ended
const FOOL_MARGIN = 12; // pixels below the page

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".fool");
  const fool = keptFor(root, () => new Fool(root));
  fool.send = setTriggerValue;
  fool.update(data);
  return () => fool.leave();
}

class Fool {
  constructor(root) {
    this.root = root;
    this.tool = "cover";
    this.steps = new FoolSteps(NO_EDITS);
    this.onResize = () => this.fit();
    this.onKey = (event) => this.press(event);
  }

  // what comes from the server

  update(bytes) {
    clearTimeout(this.leaving);
    this.listen();
    const data = unpack(bytes);
    const isNew = data.context !== this.data?.context;
    this.data = data;
    setMarks(this.root, data.colours);
    this.look = stageLook(this.root, data.colours);
    if (isNew) this.renew();
    if (this.channel.choice) this.choose(this.channel.choice);
  }

  /** Take over another model or picture. */
  renew() {
    const { data } = this;
    const { rows, columns, image_height: height, image_width: width, channels: C, depth, heads: H } = data;
    this.shape = { height, width, C, rows, columns, P: rows * columns, depth, H, hasPosition: data.has_position };
    this.before = data.arrays.outcome;
    this.looksBefore = data.arrays.looks;
    this.now = null;
    this.way = data.way;
    if (!this.board) this.build();
    this.board.build(data);
    this.heads.build(data);
    this.challenges.build();
    this.buildTools();
    this.hold("cover");
    this.steps.begin(fittingEdits(this.edits, this.shape));
    this.show();
    this.fit();
  }

  listen() {
    if (this.channel) return;
    this.channel = channelOf("fool");
    this.listener = (choice) => this.choose(choice);
    this.channel.listeners.add(this.listener);
    window.addEventListener("resize", this.onResize);
    this.root.addEventListener("keydown", this.onKey);
    this.challenges?.listen();
  }

  leave() {
    this.channel?.listeners.delete(this.listener);
    this.channel = null;
    window.removeEventListener("resize", this.onResize);
    this.root.removeEventListener("keydown", this.onKey);
    this.challenges?.leave();
    // Streamlit also calls this before it draws the same element again
    this.leaving = setTimeout(() => {
      clearTimeout(this.telling);
      clearTimeout(this.writing);
      this.live?.close();
      this.live = this.liveName = null;
    }, FOOL_LEAVE);
  }

  /** Take over what the page says: the changes of its link, the model to run, where the pages are. */
  choose(choice) {
    if (!this.data) return;
    this.addresses = choice.addresses;
    this.after = choice.after;
    this.openLive(choice.live);
    const isNews = choice.edits !== this.server;
    this.server = choice.edits;
    // an answer to what was said here changes nothing; the visitor may have gone on meanwhile
    if (isNews && choice.edits !== this.told) {
      this.told = choice.edits;
      let edits = NO_EDITS;
      try {
        edits = fittingEdits(readEdits(choice.edits), this.shape);
      } catch {
        // the server has checked them; one that knows more kinds of changes is newer than this file
      }
      if (writeEdits(edits) !== writeEdits(this.edits)) {
        this.challenges.close();
        this.steps.begin(edits);
        this.show();
      }
    }
    this.writeAddress();
    this.link();
    this.ask();
    this.fit();
  }

  // the frame

  build() {
    const { root } = this;
    root.replaceChildren();
    const play = make("div", "play", root);
    this.board = new FoolBoard(play, this);
    this.tools = make("div", "tools", play);
    this.links = make("p", "links", play);
    const side = make("div", "side", root);
    this.lines = make("div", "lines", side);
    this.lines.role = "status";
    const pair = make("div", "pair", side);
    this.shares = make("div", "shares", pair);
    this.bars = new StageBars(this.shares);
    this.meter = make("div", "meter", this.shares);
    this.fill_ = make("span", "fill", make("span", "track", this.meter));
    this.meterText = make("p", "", this.meter);
    this.heads = new FoolHeads(make("div", "switches", pair), this);
    this.headsNote = make("p", "note", this.heads.root.parentNode);
    this.challenges = new FoolChallenges(side, this);
    this.challenges.listen();
    document.fonts.ready.then(() => this.fit());
    root.addEventListener("click", (event) => this.clicked(event));
  }

  buildTools() {
    const { tools, data } = this;
    const { play } = data.texts;
    tools.replaceChildren();
    const group = (label, names, act) => {
      const box = make("div", "choice", tools);
      box.role = "group";
      box.setAttribute("aria-label", label);
      return Object.fromEntries(
        names.map((name) => {
          const button = make("button", "", box, play[name]);
          button.type = "button";
          button.addEventListener("click", () => act(name));
          return [name, button];
        }),
      );
    };
    const isSeveral = this.shape.P > 1;
    this.hands = group(play.tools, isSeveral ? ["cover", "swap", "move"] : ["cover", "move"], (name) => this.hold(name));
    this.ways = group(play.ways, isSeveral ? ["mean", "black", "drop"] : ["mean", "black"], (name) => {
      this.way = name;
      this.hold("cover");
    });
    const turn = make("label", "turn", tools);
    make("span", "", turn, play.turn);
    this.turner = make("input", "", turn);
    Object.assign(this.turner, { type: "range", min: -175, max: 180, step: TURN_STEP });
    this.turner.addEventListener("input", () => this.turn(Number(this.turner.value)));
    this.turner.addEventListener("change", () => this.rested());
    this.turned = make("output", "", turn);
    this.positioner = make("button", "position", tools);
    this.positioner.type = "button";
    this.positioner.role = "switch";
    this.positioner.hidden = !data.has_position;
    make("i", "knob", this.positioner);
    make("span", "", this.positioner, play.position);
    this.positioner.addEventListener("click", () => this.togglePosition());
    const steps = make("div", "steps", tools);
    const act = (name, what) => {
      const button = make("button", "quiet", steps, play[name]);
      button.type = "button";
      button.addEventListener("click", what);
      return button;
    };
    this.undoButton = act("undo", () => this.goBack());
    this.redoButton = act("redo", () => this.goOn());
    this.resetButton = act("reset", () => this.reset());
    this.moves = make("span", "moves", steps);
    const pictures = make("div", "pictures", tools);
    for (const name of data.others) {
      const button = make("button", "quiet", pictures, play[name]);
      button.type = "button";
      button.addEventListener("click", () => this.movePicture(name));
    }
    new FoolSave(this, pictures);
    this.help = make("p", "help", tools);
    this.tooLong = make("p", "quiet-word", tools);
    this.quiet = make("p", "quiet-word", tools);
    this.quiet.role = "status";
    setText(this.headsNote, play.heads);
    this.shares.role = "group";
    this.shares.setAttribute("aria-label", data.has_head ? play.bars : play.likeness);
    this.bars.list.hidden = !data.has_head;
    this.meter.hidden = data.has_head;
  }

  /** The page is as high as what the window leaves it. */
  fit() {
    const top = this.root.getBoundingClientRect().top + document.documentElement.scrollTop;
    this.root.style.setProperty("--top", `${Math.max(0, Math.round(top)) + FOOL_MARGIN}px`);
  }

  patchName(patch) {
    const { columns, texts } = this.data;
    const [row, column] = [Math.floor(patch / columns) + 1, (patch % columns) + 1];
    return fill(texts.play.patch, { row, column });
  }

  // what a visitor does

  get edits() {
    return this.steps.edits;
  }

  get mayPlay() {
    return this.challenges.allows(this.tool);
  }

  get mayPlayHeads() {
    return this.challenges.allows("heads");
  }

  take(edits, kind, goesOn = false) {
    if (!this.challenges.allows(kind) || !this.steps.take(edits, kind, goesOn)) return;
    this.board.mark([]);
    this.changed();
  }

  cover(places, how, goesOn) {
    const order = orderAfter(this.edits.swaps, this.shape.P);
    let { edits } = this;
    for (const place of places) edits = withCover(edits, order[place], how, this.shape.P);
    // what a brush goes on with is one move, if its first patch was changed at all
    this.take(edits, "cover", goesOn && this.hasBrushed);
    this.hasBrushed = true;
    if (!goesOn) this.hasBrushed = this.steps.steps[this.steps.at].kind === "cover";
  }

  swap(one, other) {
    this.take(withSwap(this.edits, one, other, this.shape.P), "swap");
    this.rested();
  }

  move(right, down, by) {
    const now = performance.now();
    const goesOn = by === this.movedBy && (by === "drag" ? this.board.drag.went : now - this.movedAt < FOOL_GOES_ON);
    if (by === "drag") this.board.drag.went = true;
    [this.movedBy, this.movedAt] = [by, now];
    this.take(withMove(this.edits, right, down, this.shape), "move", goesOn);
  }

  turn(degrees) {
    const now = performance.now();
    const goesOn = now - (this.turnedAt ?? -Infinity) < FOOL_GOES_ON;
    this.turnedAt = now;
    this.take({ ...this.edits, turn: degrees }, "turn", goesOn);
    this.turner.value = this.edits.turn;
  }

  togglePosition() {
    this.take({ ...this.edits, noPosition: !this.edits.noPosition }, "position");
    this.rested();
  }

  toggleHead(block, head) {
    this.take(withHead(this.edits, block, head), "heads");
    this.rested();
  }

  goBack() {
    this.steps.undo();
    this.changed();
    this.rested();
  }

  goOn() {
    this.steps.redo();
    this.changed();
    this.rested();
  }

  reset() {
    this.steps.take(NO_EDITS, "reset");
    this.changed();
    this.rested();
  }

  movePicture(to) {
    clearTimeout(this.telling);
    this.challenges.close();
    this.steps.begin(NO_EDITS);
    this.told = "";
    this.show();
    this.writeAddress();
    this.send("heard", { move: to });
  }

  hold(tool) {
    this.tool = tool;
    this.board.hold(tool);
    this.showTools();
  }

  press(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const isBack = key === "z" && !event.shiftKey;
    const isOn = key === "y" || (key === "z" && event.shiftKey);
    if (!isBack && !isOn) return;
    event.preventDefault();
    if (isBack) this.goBack();
    else this.goOn();
  }

  beginChallenge() {
    this.root.classList.add("playing");
    this.steps.begin(NO_EDITS);
    this.way = this.data.way;
    this.hold("cover");
    this.board.mark([]);
    this.changed();
    this.rested();
  }

  endChallenge() {
    this.root.classList.remove("playing");
    this.board.mark([]);
    this.showTools();
  }

  showSolution(name, solution) {
    const edits = solutionEdits(name, solution, { P: this.shape.P, way: this.data.way });
    this.steps.take(edits, "solution");
    this.changed();
    this.board.mark(name === "head" ? [] : solution.patches);
    this.rested();
  }

  // what is shown

  changed() {
    this.show();
    this.ask();
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.writeAddress(), 120);
    if (!this.board.drag) this.rested();
  }

  /** Show the picture and the switches as the edits have them; the answer follows. */
  show() {
    this.pixels = editedPixels(this.data.arrays.image, this.shape, this.edits);
    this.board.show(this.pixels, this.edits);
    this.heads.show(this.edits.headsOff);
    this.showTools();
    this.link();
  }

  showTools() {
    const { play } = this.data.texts;
    const { edits, steps, challenges, tool } = this;
    for (const [name, button] of Object.entries(this.hands)) {
      button.ariaPressed = String(name === tool);
      button.disabled = !challenges.allows(name);
    }
    for (const [name, button] of Object.entries(this.ways)) {
      button.ariaPressed = String(name === this.way);
      button.disabled = !challenges.allows("cover") || (challenges.isOpen && name !== this.data.way);
    }
    this.turner.disabled = !challenges.allows("turn");
    this.turner.value = edits.turn;
    setText(this.turned, fill(play.degrees, { degrees: String(edits.turn).replace("-", "\u2212") }));
    this.turner.setAttribute("aria-valuetext", this.turned.textContent);
    this.positioner.disabled = !challenges.allows("position");
    this.positioner.ariaChecked = String(!edits.noPosition);
    // not disabled, which would take the focus, and Ctrl + Z with it, from whoever has just pressed it
    this.undoButton.ariaDisabled = String(!steps.canUndo);
    this.redoButton.ariaDisabled = String(!steps.canRedo);
    this.resetButton.ariaDisabled = String(!writeEdits(edits));
    setText(this.moves, fill(counted(play, "moves", steps.moves), { count: steps.moves }));
    const [right, down] = edits.move.map((pixels) => String(pixels).replace("-", "\u2212"));
    const isTooLong = writeEdits(edits) && !this.linkText;
    setText(this.tooLong, isTooLong ? play.too_long : "");
    const moved = tool === "move" && (edits.move[0] || edits.move[1]) ? ` ${fill(play.moved, { right, down })}.` : "";
    setText(this.help, play[`help_${tool}`] + moved);
    this.heads.close(!challenges.allows("heads"));
  }

  /** Show what the model makes of some edits; those of the moment follow, if they are others. */
  showOutcome(edits, outcome, looks) {
    const { data, before } = this;
    this.now = { edits, outcome, looks };
    const names = data.class_names;
    if (data.has_head) {
      const shown = barsOf(outcome);
      const old = largestOf(before);
      if (!shown.includes(old)) shown[shown.length - 1] = old;
      const shares = shown.map((index) => outcome[index]);
      this.bars.show(shown.map((index) => names[index]), shares, { truth: shown.indexOf(data.label) });
    } else this.showMeter(outcome);
    const { pool, has_head: hasHead, texts } = data;
    const lines = foolLines(texts, {
      ...{ edits, before, now: outcome, names, hasHead, pool },
      looks: this.challenges.isOpen ? null : looks, // a game has its own lines
      looksBefore: this.looksBefore,
      patchName: (patch) => this.patchName(patch),
    });
    while (this.lines.childElementCount > lines.length) this.lines.lastChild.remove();
    lines.forEach((text, at) => setText(this.lines.children[at] ?? make("p", "", this.lines), text));
    const isFooled = hasHead && largestOf(outcome) !== largestOf(before);
    this.lines.classList.toggle("fooled", isFooled);
    this.challenges.judge({ edits, before, now: outcome });
  }

  showMeter(features) {
    const alike = Math.max(-1, Math.min(1, likeness(this.before, features)));
    const degrees = ((Math.acos(alike) * 180) / Math.PI).toFixed(1);
    const { play } = this.data.texts;
    this.fill_.style.transform = `scaleX(${Math.max(0, alike).toFixed(4)})`;
    setText(this.meterText, `${play.likeness}: ${alike.toFixed(4)}. ${fill(play.angle, { degrees })}`);
  }

  rejudge() {
    if (this.now) this.challenges.judge({ ...this.now, before: this.before, now: this.now.outcome });
  }

  /** Aim the links to the pages that compare before and after. */
  link() {
    const text = this.linkText;
    const { play } = this.data.texts;
    const { headsOff, noPosition } = this.edits;
    const isPicture = text !== writeEdits({ ...NO_EDITS, headsOff, noPosition });
    const view = isPicture ? "patches" : headsOff.length ? "multi_head" : "position";
    this.links.hidden = !text || !this.addresses;
    if (this.links.hidden) return;
    if (!this.links.childElementCount) {
      this.links.append(`${play.compare} `);
      for (const name of ["in_numbers", "in_story"]) {
        if (name === "in_story") this.links.append(" · ");
        make("a", name, this.links, play[name]);
      }
    }
    [view, "story"].forEach((name, at) => {
      const link = this.links.querySelectorAll("a")[at];
      const address = this.addresses[name];
      link.dataset.view = name;
      link.href = `${address}${address.includes("?") ? "&" : "?"}b=${encodeURIComponent(`edits=${text}`)}`;
    });
  }

  /** Links to pages stay inside the running app; a click that asks for a new tab stays the browser's. */
  clicked(event) {
    const link = event.target.closest("a[data-view]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    clearTimeout(this.telling);
    this.send("opened", { view: link.dataset.view, edits: this.linkText });
  }

  // the address and the server

  /** What a link can hold of the edits: all, or nothing where they are too many. */
  get linkText() {
    const text = writeEdits(this.edits);
    return text.length > LONGEST_EDITS ? "" : text;
  }

  writeAddress() {
    clearTimeout(this.writing);
    const address = addressWith("edits", this.linkText, this.after ?? []);
    if (address === `${location.pathname}${location.search}${location.hash}`) return;
    History.prototype.replaceState.call(history, history.state, "", address);
  }

  /** The hand rests: a moment later the server hears of it, so that other pages know, too. */
  rested() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tell(), FOOL_TELL);
  }

  tell() {
    if (this.board.drag) {
      this.rested();
      return;
    }
    const text = this.linkText;
    if (text === this.told) return;
    this.told = text;
    this.writeAddress();
    this.send("heard", { edits: text });
  }

  // the model

  openLive(model) {
    const name = model?.hash ?? this.data.context;
    if (this.liveName === name && this.live) return;
    this.live?.close();
    this.liveName = name;
    this.isAsked = !model;
    this.live = model ? openLive(model) : openServerLine(FOOL_LINE);
    this.live.ready.catch(() => {
      if (this.liveName === name && !this.isAsked) this.askServer();
    });
  }

  /** The browser cannot run this model, so the server does. */
  askServer() {
    this.live?.close();
    this.isAsked = true;
    this.live = openServerLine(FOOL_LINE);
    this.ask();
  }

  /** Ask the model about the edits as they are; while it computes, newer ones may come. */
  async ask() {
    if (!this.live || !this.pixels) return;
    const { edits, shape, data } = this;
    if (!writeEdits(edits)) {
      this.showOutcome(edits, this.before, Array.from(this.looksBefore));
      return;
    }
    if (this.isAsked) setText(this.quiet, data.texts.play.asking);
    let trace;
    try {
      trace = await this.live.ask(this.pixels, passEdits(edits, shape.P));
    } catch {
      if (data === this.data) setText(this.quiet, data.texts.play.failed);
      return;
    }
    // none: a newer one was asked for; and what was undone meanwhile has been shown already
    if (!trace || data.context !== this.data.context || !writeEdits(this.edits)) return;
    setText(this.quiet, "");
    const kept = keptPlaces(shape.P, passEdits(edits, shape.P));
    const about = { depth: shape.depth, pool: data.pool, P: shape.P, prefix: data.prefix_names.length, kept };
    this.showOutcome(edits, outcomeOf(trace), looksOf(trace, about));
  }
}

/** The address with a parameter, in its place before those of ``after``. */
function addressWith(name, text, after) {
  const parts = location.search
    .replace(/^\?/, "")
    .split("&")
    .filter((part) => part && !part.startsWith(`${name}=`));
  const at = parts.findIndex((part) => after.includes(part.split("=")[0]));
  if (text) parts.splice(at < 0 ? parts.length : at, 0, `${name}=${text}`);
  return `${location.pathname}${parts.length ? "?" : ""}${parts.join("&")}${location.hash}`;
}
