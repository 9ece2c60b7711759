// Present mode: one screen at a time in the whole window, for the back row of a class. A class of its
// own beside the story, which it turns by keys that a clicker also sends.

const PRESENT_TURNS = {
  ArrowLeft: -1,
  PageUp: -1,
  ArrowRight: 1,
  PageDown: 1,
  Home: -Infinity,
  End: Infinity,
};
const ALWAYS_TURN = ["PageUp", "PageDown"]; // what clickers send belongs to no part of a screen
const MODIFIERS = ["Shift", "Control", "Alt", "Meta", "CapsLock", "AltGraph"];

class StoryPresent {
  constructor(story) {
    this.story = story;
    this.isOn = false;
    this.isBlank = false;
    this.laser = new Laser(this);
    this.onKey = (event) => this.press(event);
    this.onPointer = () => (this.byKeyboard = false);
  }

  get texts() {
    return this.story.data.present;
  }

  get root() {
    return this.story.root;
  }

  listen() {
    document.addEventListener("keydown", this.onKey, true);
    document.addEventListener("pointerdown", this.onPointer, true);
    this.laser.listen();
  }

  leave() {
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("pointerdown", this.onPointer, true);
    this.laser.leave();
  }

  /** The story has been taken away. */
  end() {
    this.dialog?.close();
    document.documentElement.classList.remove("is-presenting");
  }

  /** Build what opens the mode and, while it is on, its keys. */
  build(top) {
    this.opener = this.story.turner(top, "present-on", this.texts.start, () => this.turn(true));
    this.opener.title = this.texts.start_key;
    this.helper = this.story.turner(top, "present-keys", "?", () => this.help());
    this.helper.setAttribute("aria-label", this.texts.keys_title);
    this.show();
  }

  /** Take over what the address says, once a story is opened by it. */
  readAddress() {
    this.isOn = new URLSearchParams(location.search).get("present") === "1";
  }

  turn(isOn) {
    if (isOn === this.isOn) return;
    this.isOn = isOn;
    this.blank(false);
    this.dialog?.close();
    if (!isOn && document.fullscreenElement) document.exitFullscreen().catch(() => {});
    this.show();
    const { story } = this;
    writeAddress(story.number, false, isOn);
    story.fit();
    story.title.focus({ preventScroll: true });
    story.announce(isOn ? this.texts.started : this.texts.left);
    story.tell({ present: isOn });
    this.offer();
  }

  /** Give the places numbers to which a class can point. */
  offer() {
    if (this.isOn) this.story.screen?.offer();
  }

  show() {
    this.root.classList.toggle("present", this.isOn);
    document.documentElement.classList.toggle("is-presenting", this.isOn);
    this.laser.stop();
  }

  // keys

  press(event) {
    if (hasModifier(event) || MODIFIERS.includes(event.key)) return;
    if (this.isBlank) {
      this.take(event);
      this.blank(false);
      return;
    }
    if (event.key === "Tab") this.byKeyboard = true;
    const [target] = event.composedPath();
    if (isTypedInto(target) || !this.story.screen) return;
    if (this.dialog?.open) {
      event.stopPropagation(); // no key turns the screen below the list
      if (event.key === "?") this.act(event, () => this.dialog.close());
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "p") this.act(event, () => this.turn(!this.isOn));
    else if (this.story.classroom.press(key)) this.take(event);
    else if (this.isOn) this.pressInMode(event, key, target);
  }

  pressInMode(event, key, target) {
    if (key in PRESENT_TURNS) {
      // who has come to a part by the keyboard steers it by the arrows; a click leaves them to the screens
      const isSteered = this.byKeyboard && target.closest?.("[role=application], .board, .stages, input");
      if (isSteered && !ALWAYS_TURN.includes(key)) return;
      this.act(event, () => this.step(PRESENT_TURNS[key]));
    } else if (key === "Escape") this.act(event, () => this.turn(false));
    else if (key === "b" || key === ".") this.act(event, () => this.blank(true));
    else if (key === "f") this.act(event, () => this.fillScreen());
    else if (key === "?") this.act(event, () => this.help());
    else if (/^[0-9]$/.test(key)) this.act(event, () => this.answer(Number(key)));
  }

  take(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  act(event, what) {
    this.take(event);
    what();
  }

  step(by) {
    const { number, count } = this.story;
    this.story.turnTo(Math.max(1, Math.min(count, number + by)));
  }

  /** Give an answer: one of the options, or a stage or a place with this number. */
  answer(number) {
    const options = [...this.root.querySelectorAll(".option")];
    if (options.length) {
      if (options[number - 1]?.disabled === false) options[number - 1].click();
      return;
    }
    this.root.querySelectorAll(`[data-choice="${number}"]`).forEach((one) => one.click());
  }

  // the whole window

  fillScreen() {
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    else document.documentElement.requestFullscreen?.().catch(() => {}); // a frame may not
  }

  /** Turn the screen black, or back. */
  blank(isBlank) {
    if (isBlank === this.isBlank) return;
    if (isBlank) this.turn(true);
    this.isBlank = isBlank;
    this.story.lesson.use();
    if (!isBlank) {
      this.black?.remove();
      this.story.announce(this.texts.shown);
      return;
    }
    this.black = make("div", "present-black", this.root);
    this.black.addEventListener("click", () => this.blank(false));
    this.story.announce(this.texts.blanked);
  }

  // the list of keys

  help() {
    this.dialog?.remove(); // a class may have come or gone
    this.buildHelp();
    this.teacher.href = this.story.addressOfPage("teacher");
    this.dialog.showModal();
  }

  buildHelp() {
    const { texts } = this;
    this.dialog = make("dialog", "keys", this.root);
    const title = make("h2", "", this.dialog, texts.keys_title);
    title.id = "present-keys-title";
    this.dialog.setAttribute("aria-labelledby", title.id);
    const list = make("dl", "", this.dialog);
    for (const [keys, what] of texts.keys) {
      const term = make("dt", "", list);
      for (const key of keys) make("kbd", "", term, key);
      make("dd", "", list, what);
    }
    for (const [key, name] of this.story.classroom.keys) {
      make("kbd", "", make("dt", "", list), key);
      make("dd", "", list, name);
    }
    make("p", "", this.dialog, texts.laser);
    const tools = make("div", "tools", this.dialog);
    const button = (name, act) => {
      this.story.turner(tools, "quiet", texts[name], () => {
        this.dialog.close();
        act();
      });
    };
    button("close", () => {});
    this.teacher = make("a", "quiet", tools, texts.teacher);
    this.teacher.target = "vit-explainer-teacher"; // one window, however often it is opened
    button("full", () => this.fillScreen());
    button("leave", () => this.turn(false));
    // a click beside the list closes it
    this.dialog.addEventListener("click", ({ target }) => target === this.dialog && this.dialog.close());
  }
}
