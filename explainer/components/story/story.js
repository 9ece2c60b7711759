// The story: one screen at a time, drawn from the trace of one picture. Turning screens asks nobody.

const STORY_TELL = 800; // milliseconds on a screen until the server hears of it
const STORY_LEAVE = 300; // milliseconds after which a story that was taken away has ended
const STORY_MARGIN = 12; // pixels below the story

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".story");
  const story = keptFor(root, () => new Story(root));
  story.send = setTriggerValue;
  story.update(data);
  return () => story.leave();
}

class Story {
  constructor(root) {
    this.root = root;
    this.answers = new StoryAnswers();
    this.halves = new StoryHalves(this);
    this.screens = []; // of the halves
    this.present = new StoryPresent(this);
    this.lesson = new StoryLesson(this);
    this.classroom = new StoryClassroom(this);
    this.untold = []; // answers of which the server has yet to hear
    this.onKey = (event) => this.press(event);
    this.onPop = (event) => this.popped(event);
    this.onLeft = () => (this.isLeft = true);
    this.onResize = () => this.fit();
    // the page's own title is heard; what can be seen is the screen's
    this.onFocus = ({ target }) => {
      if (target.matches?.(".story-heading")) this.title?.focus({ preventScroll: true });
    };
  }

  // what comes from the server

  update(bytes) {
    clearTimeout(this.leaving);
    this.listen();
    if (!this.halves.take(bytes)) {
      this.restyle();
      return;
    }
    if (!this.title) this.build();
    this.look = stageLook(this.root, this.data.colours);
    setMarks(this.root, this.data.colours);
    this.label();
    this.halves.label();
    if (this.channel.choice) this.choose(this.channel.choice);
  }

  /** The theme may have changed, and with it the colours on canvases. */
  restyle() {
    const look = stageLook(this.root, this.data.colours);
    const isSame = look.isDark === this.look.isDark;
    this.look = look;
    if (!isSame) this.refresh();
  }

  listen() {
    if (this.channel) return;
    this.channel = channelOf("story");
    this.listener = (choice) => this.choose(choice);
    this.channel.listeners.add(this.listener);
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("focusin", this.onFocus);
    this.present.listen();
    this.lesson.listen();
    // before Streamlit hears of it and runs the page for what needs no server
    window.addEventListener("popstate", this.onPop, true);
    window.addEventListener("vit-explainer.left", this.onLeft);
    window.addEventListener("resize", this.onResize);
  }

  leave() {
    this.channel?.listeners.delete(this.listener);
    this.channel = null;
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("focusin", this.onFocus);
    window.removeEventListener("popstate", this.onPop, true);
    window.removeEventListener("vit-explainer.left", this.onLeft);
    window.removeEventListener("resize", this.onResize);
    this.present.leave();
    this.lesson.leave();
    // Streamlit also calls this before it draws the same element again
    this.leaving = setTimeout(() => {
      clearTimeout(this.timer);
      for (const screen of this.screens) screen.leave();
      this.present.end();
      this.lesson.end();
      this.classroom.end();
      this.halves.close();
    }, STORY_LEAVE);
  }

  /** Take over what the page says: the followed patch, the model to run, where the pages are. */
  choose(choice) {
    if (!this.data) return;
    this.addresses = choice.addresses;
    this.drawing = choice.drawing;
    this.target = choice.target ?? undefined;
    const followed = Math.max(0, choice.query - this.data.prefix_names.length);
    const moved = followed !== this.followed;
    this.followed = followed;
    if (moved) this.half.telling = null;
    const hasNewModel = this.halves.choose(choice);
    this.classroom.choose(choice.room);
    for (const link of this.root.querySelectorAll("a[data-view]")) {
      link.href = this.addressOfPage(link.dataset.view);
    }
    if (!this.screen) this.turnTo(screenInAddress(this.count) ?? choice.screen, { isFirst: true });
    else {
      writeAddress(this.number, false, this.present.isOn);
      if (!this.halves.isArranged) this.show();
      else if (moved || hasNewModel || this.shownBytes !== this.halves.bytes) this.refresh();
    }
    this.shownBytes = this.halves.bytes;
    this.path = location.pathname;
    this.bare = addressOf(1); // what the server knows of the address
    this.lesson.tell();
  }

  /** The half that is asked about; the only one where nothing is compared. */
  get half() {
    return this.halves.first;
  }

  get screen() {
    return this.screens[0];
  }

  get data() {
    return this.half.data;
  }

  get count() {
    return this.data.screens.length;
  }

  // the frame

  build() {
    const { root } = this;
    const { frame } = this.data;
    root.replaceChildren();
    const top = make("header", "top", root);
    this.progress = make("span", "progress", top);
    this.quiet = make("span", "quiet-word", top);
    this.quiet.role = "status";
    this.present.readAddress();
    this.present.build(top);
    this.saving = new StorySave(this, top);
    this.numbers = make("a", "numbers-link", top);
    this.numbers.textContent = frame.numbers;
    this.body = make("div", "body", root);
    const words = make("div", "words", this.body);
    this.title = make("h2", "", words);
    this.title.tabIndex = -1;
    this.told = make("p", "told", words);
    this.short = make("p", "short", words);
    this.words = make("div", "doing", words);
    this.stage = make("div", "stage", this.body);
    const bottom = make("nav", "bottom", root);
    bottom.setAttribute("aria-label", frame.steps);
    this.back = this.turner(bottom, "back", frame.back, () => this.turnTo(this.number - 1));
    const dots = make("ol", "dots", bottom);
    this.dots = this.data.screens.map((_, at) => {
      const dot = make("button", "dot", make("li", "", dots));
      dot.type = "button";
      dot.addEventListener("click", () => this.turnTo(at + 1));
      return dot;
    });
    this.next = this.turner(bottom, "next primary", frame.next, () => this.turnTo(this.number + 1));
    this.announce = announcer(root);
    root.addEventListener("click", (event) => this.clicked(event));
    this.fit();
  }

  turner(parent, className, text, act) {
    const button = make("button", className, parent, text);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  label() {
    const { screens, frame } = this.data;
    this.dots.forEach((dot, at) => {
      const text = fill(frame.step, { number: at + 1, title: fill(screens[at].title, this.half.facts) });
      dot.setAttribute("aria-label", text);
      dot.title = text;
    });
  }

  /** The story is as high as what the window leaves it. */
  fit() {
    const top = this.root.getBoundingClientRect().top + document.documentElement.scrollTop;
    this.root.style.setProperty("--top", `${Math.max(0, Math.round(top)) + STORY_MARGIN}px`);
  }

  /** Links to pages stay inside the running app; a click that asks for a new tab stays the browser's. */
  clicked(event) {
    const link = event.target.closest("a[data-view]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    clearTimeout(this.timer);
    this.send("opened", { view: link.dataset.view, screen: this.number, edits: link.dataset.edits });
  }

  addressOfPage(view) {
    return this.addresses?.[view] ?? view;
  }

  // turning screens

  turnTo(number, { isFirst = false, isPopped = false, isFollowed = false } = {}) {
    if (!(number >= 1 && number <= this.count)) return;
    if (this.number === number) return;
    if (!isFirst && !isFollowed && !this.classroom.mayTurn()) {
      writeAddress(this.number, false, this.present.isOn); // the browser's Back may have changed it
      return;
    }
    this.answers.reread();
    this.number = number;
    this.show();
    writeAddress(number, !isFirst && !isPopped && !isFollowed, this.present.isOn);
    if (!isFirst) this.lesson.use();
    if (!isFirst || document.activeElement === document.body) this.title.focus({ preventScroll: true });
    if (!isFirst) {
      document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
      clearTimeout(this.timer);
      // a class that turns all at once would ask the server all at once, for nothing
      if (!isFollowed) this.timer = setTimeout(() => this.tell({}), STORY_TELL);
    }
  }

  /** Draw the screen anew, of one half or of two. */
  show() {
    const { number } = this;
    for (const screen of this.screens) screen.leave(); // what they still have to say is said of the new ones
    this.stage.replaceChildren();
    this.words.replaceChildren();
    setText(this.quiet, "");
    this.screens = this.halves.screensOf(number);
    this.write();
    this.fit();
    this.halves.sayFacts();
    for (const screen of this.screens) screen.build();
    this.halves.drawDifference();
    this.present.offer();
    this.classroom.asks();
    this.classroom.update();
  }

  /** Take over other numbers, another patch or theme. */
  refresh() {
    this.write();
    this.halves.sayFacts();
    for (const screen of this.screens) screen.refresh();
    this.halves.drawDifference();
    this.present.offer();
    this.classroom.asks();
    this.classroom.update();
  }

  /** Write what stands around the screen's picture. */
  write() {
    const { number } = this;
    const texts = this.data.screens[number - 1];
    const { frame } = this.data;
    setText(this.title, fill(texts.title, this.half.facts));
    const told = make("p");
    told.append(...linked(texts, this.half.facts));
    if (told.textContent !== this.told.textContent) this.told.replaceChildren(...told.childNodes);
    setText(this.short, fill(texts.short, this.half.facts));
    setText(this.progress, fill(frame.progress, { number, count: this.count }));
    this.numbers.dataset.view = texts.view;
    this.numbers.href = this.addressOfPage(texts.view);
    this.numbers.title = texts.page;
    this.root.dataset.screen = texts.name;
    this.markTurning();
    this.dots.forEach((dot, at) => {
      if (at + 1 === number) dot.setAttribute("aria-current", "step");
      else dot.removeAttribute("aria-current");
      dot.classList.toggle("done", at + 1 < number);
    });
  }

  /** Which of the buttons that turn lead somewhere; none while a teacher turns. */
  markTurning() {
    const { isLed } = this.classroom;
    this.back.disabled = isLed || this.number === 1;
    this.next.disabled = isLed || this.number === this.count;
    for (const dot of this.dots) dot.disabled = isLed;
  }

  popped(event) {
    if (location.pathname !== this.path) return;
    if (this.isLeft) {
      // back before the next page was there: the server has to hear of it, and of nothing from before
      this.isLeft = false;
      clearTimeout(this.timer);
    } else if (addressOf(1) === this.bare) event.stopImmediatePropagation();
    // else with another picture in the address, of which the server has to hear, too
    this.turnTo(screenInAddress(this.count) ?? 1, { isPopped: true });
  }

  press(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const [target] = event.composedPath();
    if (target.closest?.("input, textarea, select, [contenteditable], [role=application], [role=slider]")) return;
    const isOther = target.matches?.("a, button, summary, [tabindex='0']");
    if (isOther && !event.composedPath().includes(this.root)) return;
    const to = {
      ArrowLeft: this.number - 1,
      PageUp: this.number - 1,
      ArrowRight: this.number + 1,
      PageDown: this.number + 1,
      Home: 1,
      End: this.count,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.turnTo(to);
  }

  // what goes to the server

  /** Tell the server what it needs to know on other pages, and which picture is looked at now. */
  tell(heard) {
    clearTimeout(this.timer);
    const answers = this.untold.splice(0);
    this.send("heard", { ...heard, ...(answers.length ? { answers } : {}), screen: this.number });
  }

  /** Follow a patch of a half, in all halves. */
  follow(patch, half = this.half) {
    half.chosen = patch;
    const followed = half.patchIn(this.half, patch);
    if (followed === this.followed) return;
    this.followed = followed;
    this.half.telling = null;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell({ patch: followed }), STORY_TELL);
  }

  answered(answer) {
    const { name, question, given, right } = answer;
    this.tell({ answer: { name, question, given, right } });
  }

  /** Tell the server of an answer when it next hears of something. */
  keepAnswer({ name, question, given, right }) {
    this.untold.push({ name, question, given, right });
  }

  /** Predictions in the order of the screens: under which name and about what their answers are kept. */
  predictions() {
    const { data, followed } = this;
    const several = data.rows * data.columns > 1;
    const about = {
      extra_row: data.pool === "cls" || several ? data.model : null,
      position: several ? data.context : null,
      attention: several ? `${data.context} ${followed}` : null,
      answer: data.has_head && (data.depth > 1 || data.pool !== "cls") ? data.context : null,
      cover: several && this.half.hasLive ? data.context : null,
      loss: "always",
      step: this.half.lessonName,
      learn: "recorded",
      where: several && data.claims.length > 1 ? data.context : null,
      truth: several && data.claims.length ? data.context : null,
      alike: several ? `${data.context} ${followed}` : null,
      map: this.half.asksOfMap ? data.context : null,
    };
    return Object.entries(about).filter(([, what]) => what !== null);
  }
}
