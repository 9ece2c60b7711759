// A story that no class sees: its screens are built and answered at once, by the functions with which the
// story itself judges an answer. So a teacher knows what will turn out for this model and picture.

const RIGHTLY = {
  attention: (screen) => screen.choose(screen.best),
  answer: (screen) => screen.choose(screen.settled),
  async cover(screen) {
    const left = await screen.measure();
    if (left) await screen.guess(largestOf(left.map((share) => -share)));
  },
};

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
   * then; null if another screen was asked for meanwhile.
   */
  async show(number, stage) {
    this.end();
    this.given.clear();
    stage.replaceChildren();
    stage.className = "stage";
    const texts = this.data.screens[number - 1];
    const words = document.createElement("div");
    const screen = new STORY_SCREENS[texts.name](this.half, texts, number, stage, words);
    this.screens = [screen];
    screen.build();
    const { prediction } = screen;
    if (!prediction) return this.known(screen, words);
    const rightly = RIGHTLY[texts.name] ?? (() => screen.predicted(0, prediction.options[0]));
    await rightly(screen);
    if (this.screen !== screen) return null;
    const { right = "", result = "" } = prediction.answer ?? {};
    return { question: prediction.question, right, result };
  }

  /** What can be said of a screen that asks nothing. */
  known(screen, words) {
    const { name } = screen.texts;
    const question = words.querySelector(".task")?.textContent ?? "";
    if (name === "blocks") screen.turn(screen.stages.length - 1);
    let result = (words.querySelector(".result") ?? screen.stage.querySelector(".result"))?.textContent ?? "";
    if (name === "heads") result = screen.describe(this.half.followed);
    if (name === "draw" && this.data.has_head) {
      const shares = this.half.outcomes;
      const best = largestOf(shares);
      result = `${this.data.class_names[best]}, ${percent(shares[best])}`;
    }
    return { question, right: "", result };
  }

  end() {
    for (const screen of this.screens) screen.leave();
    this.screens = [];
  }
}
