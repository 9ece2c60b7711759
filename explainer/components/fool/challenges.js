// Goals to play for, each against what a search on the server has found.

const FOOL_BOUNDS = "fool-bounds"; // the line on which a search is asked for
const FOOL_ASK_AGAIN = 1000; // milliseconds until a search that goes on is asked for again

class FoolChallenges {
  /** ``fool`` hears: beginChallenge(), endChallenge(), showSolution(name, solution). */
  constructor(parent, fool) {
    this.fool = fool;
    this.root = make("section", "challenge", parent);
    this.bounds = new Map(); // context and name → what the server answered
    this.name = null;
    this.session = Math.random().toString(36).slice(2, 10);
    this.hear = (answer) => this.heard(answer);
  }

  listen() {
    this.line = serverLine(FOOL_BOUNDS);
    this.line.listeners.add(this.hear);
    this.askBound();
  }

  leave() {
    this.line?.listeners.delete(this.hear);
    clearTimeout(this.waiting);
  }

  build() {
    const { root, texts } = this;
    this.name = null;
    root.replaceChildren();
    root.hidden = !this.fool.data.challenges.length;
    const head = make("div", "challenge-head", root);
    make("h2", "", head, texts.title);
    this.tabs = make("div", "tabs", head);
    this.tabs.role = "group";
    this.tabs.setAttribute("aria-label", texts.title);
    this.buttons = this.fool.data.challenges.map((name) => {
      const button = make("button", "quiet", this.tabs, this.fill(texts[name]));
      button.type = "button";
      button.addEventListener("click", () => (this.name === name ? this.close() : this.open(name)));
      return { name, button };
    });
    this.closeButton = make("button", "quiet", head, texts.close);
    this.closeButton.type = "button";
    this.closeButton.addEventListener("click", () => this.close());
    this.goal = make("p", "goal", root, texts.open);
    this.limit = make("p", "limit", root);
    this.status = make("p", "standing", root);
    this.status.role = "status";
    this.actions = make("div", "actions", root);
    this.compareButton = this.action("compare", () => this.compare());
    this.showButton = this.action("show", () => this.showSolution());
    this.after = make("div", "after", root);
    this.after.role = "status";
    this.label();
  }

  action(name, act) {
    const button = make("button", "quiet", this.actions, this.texts[name]);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  get texts() {
    return this.fool.data.texts.challenge;
  }

  fill(text, values = {}) {
    const { class_names: names } = this.fool.data;
    const answer = this.fool.data.has_head ? names[largestOf(this.fool.before)] : "";
    return fill(text, { answer, target: names[this.bound?.target], ...values });
  }

  get isOpen() {
    return this.name !== null;
  }

  /** Whether a kind of change belongs to the game that is played. */
  allows(kind) {
    return !this.isOpen || (this.name === "head" ? kind === "heads" : kind === "cover");
  }

  get bound() {
    return this.bounds.get(`${this.fool.data.context} ${this.name}`) ?? null;
  }

  open(name) {
    this.name = name;
    this.best = null; // the fewest patches with which it was reached
    this.tried = new Set(); // heads
    this.isFound = false;
    this.shown = null; // the challenge whose solution is shown
    this.after.replaceChildren();
    this.fool.beginChallenge();
    this.label();
    this.askBound();
  }

  close() {
    if (!this.isOpen) return;
    const { button } = this.buttons.find(({ name }) => name === this.name);
    const hasFocus = this.root.getRootNode().activeElement === this.closeButton;
    this.name = null;
    clearTimeout(this.waiting);
    this.after.replaceChildren();
    this.fool.endChallenge();
    this.label();
    if (hasFocus) button.focus(); // what had it is hidden now
  }

  // the search

  askBound() {
    clearTimeout(this.waiting);
    if (!this.isOpen || this.bound) return;
    const { name } = this;
    this.line.say({ id: `${this.session}-${name}-${Date.now()}`, challenge: name });
    this.waiting = setTimeout(() => this.askBound(), FOOL_ASK_AGAIN);
  }

  heard(answer) {
    if (!answer?.context || answer.is_searching || !answer.id.startsWith(this.session)) return;
    this.bounds.set(`${answer.context} ${answer.challenge}`, answer);
    this.label();
    this.fool.rejudge();
  }

  // the game

  /** Say how it stands after a pass over ``edits``. */
  judge({ edits, before, now }) {
    if (!this.isOpen) return;
    const { name, texts, bound } = this;
    const { rows, columns, class_names: names } = this.fool.data;
    const target = bound?.target ?? -1;
    const best = bound?.solution?.head ?? null;
    const state = standing(name, { edits, before, now, target, P: rows * columns, best });
    if (name === "head") this.judgeHead(edits, state);
    else {
      const isPlayed = Object.keys(edits.cover).length > 0;
      if (state.isReached && isPlayed && !this.isShown && state.count < (this.best ?? Infinity)) {
        this.best = state.count;
        if (this.isCompared) this.compare(); // it was done better since
      }
      const kind = name === "keep" ? "keep" : "few";
      const says = texts[state.isReached ? `reached_${kind}` : `missed_${name}`];
      const count = fill(texts[`count_${kind}`], { count: state.count });
      setText(this.status, `${count}. ${isPlayed ? this.fill(says, { now: names[state.answer] }) : ""}`);
      this.status.classList.toggle("won", state.isReached && isPlayed);
    }
    this.label();
  }

  judgeHead({ headsOff }, { isReached }) {
    const { texts } = this;
    if (headsOff.length === 1 && !this.isFound && !this.isShown) this.tried.add(headsOff[0].join());
    const isWon = isReached && !this.isShown;
    if (isWon) this.isFound = true;
    const count = fill(counted(texts, "count_head", this.tried.size), { count: this.tried.size });
    const hasBound = Boolean(this.bound?.solution);
    let says = "";
    if (headsOff.length > 1) says = texts.several_heads;
    else if (headsOff.length && hasBound) says = texts[isReached ? "reached_head" : "missed_head"];
    setText(this.status, `${count}. ${says}`);
    this.status.classList.toggle("won", isReached);
  }

  /** Show what belongs to the state of the game. */
  label() {
    const { texts, bound, name } = this;
    for (const { name: one, button } of this.buttons) {
      button.ariaPressed = String(one === name);
      button.hidden = Boolean(name) && one !== name; // the game needs the room
    }
    const suffix = name === "head" && !this.fool.data.has_head ? "_features" : "";
    const goal = name === "target" && !bound ? texts.goal_unknown : texts[`goal_${name}${suffix}`];
    setText(this.goal, name ? this.fill(goal) : texts.open);
    this.goal.hidden = this.isCompared;
    setText(this.limit, !name || this.isCompared ? "" : bound ? bound.limit : texts.searching);
    if (!name) {
      setText(this.status, "");
      this.status.classList.remove("won");
    }
    const hasPlayed = name === "head" ? this.isFound : this.best !== null;
    this.compareButton.hidden = !name || !bound?.solution || !hasPlayed || this.isCompared;
    this.showButton.hidden = !name || !bound?.solution || this.isShown;
    this.closeButton.hidden = !name;
  }

  get isCompared() {
    return this.after.childElementCount > 0;
  }

  get isShown() {
    return this.isOpen && this.shown === this.name;
  }

  /** Compare what the visitor needed with what the search has found, and say what follows. */
  compare() {
    const { bound, texts, name } = this;
    const lines = [this.mine(texts, name), name === "head" ? "" : bound.limit, bound.compared].filter(Boolean);
    this.after.replaceChildren();
    make("p", "compared", this.after, lines.join(" "));
    if (bound.teaches.length) make("p", "teaches", this.after, bound.teaches.join(" "));
    this.label();
  }

  mine(texts, name) {
    const isHead = name === "head";
    if (isHead ? !this.isFound : this.best === null) return "";
    const count = isHead ? this.tried.size : this.best;
    const kind = { head: "you_head", keep: "you_keep" }[name] ?? "you_few";
    return fill((count === 0 && texts[`${kind}_none`]) || counted(texts, kind, count), { count });
  }

  showSolution() {
    this.shown = this.name;
    this.compare();
    this.fool.showSolution(this.name, this.bound.solution);
    this.label();
    this.closeButton.focus({ preventScroll: true });
  }
}
