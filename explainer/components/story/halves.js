// What the story shows: one model with one picture, or two of them side by side.

const STORY_LINES = ["story-line", "story-line-b"]; // on which the server is asked about large models
const SHOWN_ONCE = new Set(["learn"]); // screens about neither of two halves
const HALVES_VIEWS = ["both", "a", "b", "difference"]; // a wide window shows both where a narrow one flips

class StoryHalves {
  constructor(story) {
    this.story = story;
    this.first = new StoryHalf(story, STORY_LINES[0]);
    this.second = null;
    this.shown = "a";
    this.parts = null; // of the page, while two halves are shown
  }

  get all() {
    return this.second ? [this.first, this.second] : [this.first];
  }

  get isCompared() {
    return this.story.screens.length > 1;
  }

  /** Whether both halves show the same picture, before what is changed in the second. */
  get hasOnePicture() {
    return Boolean(this.compared?.one_picture);
  }

  /** Take over what the server sent: one half, or two; whether it is something else than before. */
  take(bytes) {
    if (this.bytes && sameBytes(bytes, this.bytes)) return false;
    this.bytes = bytes;
    const { compared = null, arrays } = headerOf(bytes).compared ? unpack(bytes) : {};
    this.compared = compared;
    this.first.take(compared ? arrays.a : bytes);
    if (!compared) {
      this.second?.closeLive();
      this.second?.closeLine();
      this.second = null;
      return true;
    }
    this.second ??= new StoryHalf(this.story, STORY_LINES[1]);
    this.second.take(arrays.b);
    this.second.edits = compared.edits;
    return true;
  }

  /** Take over where the models run; whether one has just become known. */
  choose({ live, other_live: other }) {
    const before = this.all.map((half) => half.live);
    this.first.openLive(live);
    if (other !== undefined) this.second?.openLive(other);
    return this.all.some((half, at) => !before[at] && half.live);
  }

  close() {
    for (const half of this.all) {
      half.closeLive();
      half.closeLine();
    }
  }

  /** Make the screen of each half, with its own place for a picture. */
  screensOf(number) {
    const { story, first } = this;
    const texts = first.data.screens[number - 1];
    const halves = SHOWN_ONCE.has(texts.name) ? [first] : this.all;
    this.arrange(halves.length > 1);
    const make = STORY_SCREENS[texts.name];
    return halves.map((half, at) => {
      const words = at ? document.createElement("div") : story.words;
      const stage = at ? this.parts.b.stage : story.stage;
      return new make(half, half.data.screens[number - 1], number, stage, words);
    });
  }

  /** Whether there are as many halves on the screen as there should be. */
  get isArranged() {
    const { name } = this.first.data.screens[this.story.number - 1];
    const wanted = SHOWN_ONCE.has(name) ? 1 : this.all.length;
    return this.story.screens.length === wanted;
  }

  // the page

  /** Give the picture the whole room, or put two side by side. */
  arrange(areTwo) {
    const { story } = this;
    story.root.classList.toggle("compared", areTwo);
    story.root.classList.toggle("paired", this.second !== null);
    if (!areTwo) {
      this.parts?.root.remove();
      this.parts = null;
      if (story.stage.parentNode !== story.body) story.body.append(story.stage);
      return;
    }
    if (!this.parts) this.build();
    for (const part of [this.parts.a, this.parts.b]) part.own.replaceChildren();
    this.parts.b.stage.replaceChildren();
    this.parts.b.stage.className = "stage";
  }

  build() {
    const { story } = this;
    const { frame } = story.data;
    const root = make("div", "halves", story.body);
    const views = make("div", "views toggle", root);
    views.role = "group";
    views.setAttribute("aria-label", frame.views);
    this.buttons = HALVES_VIEWS.map((name) => {
      const button = make("button", `quiet ${name}`, views, frame[`view_${name}`]);
      button.type = "button";
      button.addEventListener("click", () => this.view(name === "both" ? "a" : name));
      return [name, button];
    });
    this.parts = { root, views };
    for (const name of ["a", "b"]) {
      const section = make("section", `half ${name}`, root);
      const head = make("header", "", section);
      const title = make("h3", "", head);
      const changed = make("p", "changed", head);
      const own = make("p", "own", head);
      own.role = "status";
      const stage = name === "a" ? story.stage : make("div", "stage", section);
      section.append(stage);
      this.parts[name] = { section, title, changed, own, stage };
    }
    this.parts.difference = make("section", "half difference", root);
    this.label();
    this.view(this.shown);
  }

  /** Write what the halves are called. */
  label() {
    if (!this.parts || !this.compared) return;
    const { compared, parts } = this;
    for (const name of ["a", "b"]) {
      const { section, title } = parts[name];
      setText(title, compared[name]);
      title.title = compared[name];
      section.setAttribute("aria-label", compared[name]);
    }
    setText(parts.b.changed, compared.changed);
  }

  /** Turn to a half, or to how both differ. */
  view(name) {
    this.shown = name;
    this.parts.root.dataset.shown = name;
    for (const [view, button] of this.buttons) {
      button.setAttribute("aria-pressed", view === name || (view === "both" && name !== "difference"));
    }
    this.drawDifference();
  }

  // what differs

  /** What holds of one half alone stands under its name. */
  say(half, text) {
    if (this.isCompared) setText(this.parts[half.isFirst ? "a" : "b"].own, text);
  }

  /** Say what the words of a screen say of the first half only. */
  sayFacts() {
    if (!this.isCompared) return;
    const [one, other] = this.story.screens.map((screen) => (screen.texts.half ? screen.text("half") : ""));
    if (one === other) return;
    this.say(this.first, one);
    this.say(this.second, other);
  }

  drawDifference() {
    this.difference = null;
    if (!this.isCompared) return;
    const make = STORY_DIFFERENCES[this.story.screen.texts.name];
    const [, button] = this.buttons.at(-1);
    button.hidden = !make;
    const isShown = this.shown === "difference" && Boolean(make);
    this.parts.root.classList.toggle("differs", isShown);
    this.parts.difference.replaceChildren();
    if (isShown) this.difference = new make(this.parts.difference, ...this.story.screens);
    this.difference?.draw();
  }

  /** Something has changed in a half; ``pointed`` is the first half's patch that is pointed at. */
  changed(pointed = null) {
    this.difference?.changed(pointed);
  }
}

/** The header of what Python packed, without its arrays. */
function headerOf(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
}
