// A story that no class sees: its screens are built and answered at once, by the functions with which the
// story itself judges an answer. So a teacher knows what will turn out for this model and picture.

class QuietStory {
  constructor(line) {
    this.first = new StoryHalf(this, line);
    this.halves = { isCompared: false, hasOnePicture: false, say() {}, changed() {} };
    this.screens = [];
    this.quiet = document.createElement("span");
    this.given = new Map();
    this.answers = {
      get: (name, about) => this.given.get(`${name} ${about}`),
      keep: (name, about, answer) => this.given.set(`${name} ${about}`, answer),
      forget() {},
    };
  }

  get half() {
    return this.first;
  }

  get data() {
    return this.half.data;
  }

  get screen() {
    return this.screens[0];
  }

  // what the screens tell a story that is seen

  announce() {}
  answered() {}
  follow() {}
  tell() {}
  turnTo() {}
  predictions() {
    return [];
  }
  addressOfPage(view) {
    return view;
  }

  /**
   * Build a screen on ``stage`` and answer it. The value is what it asks, what is right and what is said
   * then; null if another screen was asked for meanwhile. ``sentences`` are of screens that ask nothing.
   */
  async show(number, stage, sentences) {
    this.end();
    this.given.clear();
    stage.replaceChildren();
    stage.className = "stage";
    const about = this.data.screens[number - 1];
    const words = document.createElement("div");
    const screen = new STORY_SCREENS[about.name](this.half, about, number, stage, words);
    this.screens = [screen];
    screen.build();
    await screen.ready?.();
    if (this.screen !== screen) return null;
    const { prediction } = screen;
    if (!prediction) return this.known(screen, words, sentences);
    await answerOf(screen);
    if (this.screen !== screen) return null;
    const { right = "", result = "" } = prediction.answer ?? {};
    return { question: prediction.question, right, result };
  }

  /** What can be said of a screen that asks nothing. */
  known(screen, words, { says, alike }) {
    const { name } = this.data.screens[screen.number - 1];
    const question = words.querySelector(".task")?.textContent ?? "";
    let result = (words.querySelector(".result") ?? screen.stage.querySelector(".result"))?.textContent ?? "";
    if (name === "heads") result = screen.describe(this.half.followed);
    if (name === "draw" && this.data.has_head) {
      const shares = this.half.outcomes;
      const best = largestOf(shares);
      result = fill(says, { name: this.data.class_names[best], share: percent(shares[best]) });
    }
    if (name === "blocks") {
      screen.turn(screen.stages.length - 1);
      const best = largestOf(screen.alike, this.half.followed);
      if (best >= 0) result = fill(alike, { patch: this.half.patchName(best) });
    }
    return { question, right: null, result };
  }

  end() {
    for (const screen of this.screens) screen.leave();
    this.screens = [];
  }
}
