// A question before its experiment. The answers stay visible; a wrong one leads to "show me".

const FEWEST_CHOICES = 2; // of a question that a class is asked
const MOST_CHOICES = 16; // as explainer/classroom/snapshot.py has it
const MOST_PLACES = 4096;

/**
 * ``name`` and ``about`` say under what its answer is kept: ``about`` is what it depends on, a model or a
 * picture in a model. A question about a place is answered on the picture, one with ``stages`` on its list
 * of these, others by their options. In the room of a class an answer can have to wait: until the teacher
 * reveals it, nothing is said of it and the experiment stays hidden.
 */
class Prediction {
  constructor(screen, { name = screen.texts.name, about, question, options = null, stages = null }) {
    Object.assign(this, { screen, story: screen.story, name, about, question, options, stages });
    this.root = make("section", "prediction", screen.words);
    this.draw();
    this.classroom?.asks();
  }

  /** The room in which it is asked; none in a window that no class sees. */
  get classroom() {
    return this.story.classroom;
  }

  get answer() {
    return this.story.answers.get(this.name, this.about);
  }

  /** Whether an answer was given, or has been shown without one. */
  get isGiven() {
    return Boolean(this.answer);
  }

  /** Whether the experiment may be seen. */
  get isAnswered() {
    const { answer } = this;
    return Boolean(answer) && (answer.isShown !== false || !this.classroom?.holds(this));
  }

  /** Whether nobody can answer now. */
  get isClosed() {
    if (this.solving) return false;
    return this.isGiven || this.classroom?.takes(this) === false;
  }

  get givenPlace() {
    return this.answer?.places?.given ?? null;
  }

  // what a class is asked

  /** Under which name a room counts its answers: the same for all who see this model and picture. */
  get pollName() {
    return `${this.name}.${shortHash(String(this.about))}`;
  }

  /** What may be answered, as texts; none where it is a patch of the picture. */
  get choices() {
    return this.options ?? this.stages ?? [];
  }

  /** What a room has to know of it; null where there is nothing to choose. */
  get asked() {
    const { choices, question, pollName: name } = this;
    const { rows, columns } = this.screen.data;
    const isPlace = !this.options && !this.stages;
    const count = isPlace ? rows * columns : choices.length;
    if (count < FEWEST_CHOICES || count > (isPlace ? MOST_PLACES : MOST_CHOICES)) return null;
    const grid = isPlace ? { rows, columns } : { rows: 0, columns: 0 };
    return { name, question, options: choices, ...grid };
  }

  /** The index of an option, a stage or a patch by what it is called; -1 for none. */
  choiceOf(text) {
    if (text === null || text === undefined) return -1;
    if (this.choices.length) return this.choices.indexOf(text);
    const { half } = this.screen;
    const { rows, columns } = half.data;
    return Array.from({ length: rows * columns }, (_, patch) => half.patchName(patch)).indexOf(text);
  }

  /** Send what was chosen to the room, before it is known what is right. */
  vote(choice) {
    if (!this.solving) this.classroom?.vote(this, choice);
  }

  // what is seen

  draw() {
    const { frame } = this.screen.data;
    this.root.replaceChildren();
    const heading = make("p", "question", this.root);
    make("b", "kind", heading, frame.predict);
    heading.append(" ", this.question);
    const { answer, isAnswered } = this;
    if (this.options) this.drawOptions(answer);
    this.waiting = this.poll = this.verdict = null;
    if (this.classroom?.isOn) {
      this.waiting = make("p", "waiting", this.root);
      this.waiting.role = "status";
    }
    if (answer && isAnswered) this.drawVerdict(answer);
    if (this.classroom?.isOn) this.poll = new StoryPoll(make("div", "poll", this.root), this);
    this.update();
  }

  drawVerdict(answer) {
    const { frame } = this.screen.data;
    const isOwn = answer.given !== null;
    const verdict = make("p", `verdict ${isOwn ? answer.verdict : "right"}`, this.root);
    verdict.tabIndex = -1;
    const sign = { right: "✓", close: "≈", wrong: "✗" }[answer.verdict];
    make("b", "", verdict, isOwn ? `${sign} ${frame[answer.verdict]}` : this.classroom.text("right", answer));
    verdict.append(" ", answer.result);
    this.verdict = verdict;
    if ((answer.verdict !== "right" || !isOwn) && this.screen.showMe) {
      const button = make("button", "quiet", this.root, frame.show_me);
      button.type = "button";
      button.addEventListener("click", () => this.screen.showMe());
    }
  }

  drawOptions(answer) {
    const { frame } = this.screen.data;
    const isShown = this.isAnswered;
    const list = make("div", "options", this.root);
    list.role = "group";
    list.setAttribute("aria-label", this.question);
    this.buttons = this.options.map((option, index) => {
      const button = make("button", "option", list, option);
      button.type = "button";
      if (!answer) {
        button.addEventListener("click", () => this.choose(index));
        return button;
      }
      button.disabled = true;
      const words = [];
      if (option === answer.given) words.push(frame.your_answer);
      if (isShown && option === answer.right) words.push(frame.right_answer);
      button.classList.toggle("given", option === answer.given);
      button.classList.toggle("held", !isShown);
      button.classList.toggle("true", isShown && option === answer.right);
      if (words.length) make("span", "which", button, words.join(", "));
      return button;
    });
  }

  choose(index) {
    if (this.isClosed) return;
    this.vote(index);
    this.screen.predicted(index, this.options[index]);
  }

  /** Take over what has become known of the room, without moving what somebody looks at. */
  update() {
    const { classroom } = this;
    if (!classroom?.isOn || !this.waiting) return;
    if (!this.isGiven) for (const button of this.buttons ?? []) button.disabled = this.isClosed;
    setText(this.waiting, classroom.sayWaiting(this));
    this.poll.draw(classroom.pollOf(this));
  }

  /**
   * Keep the first answer; ``right`` is what turned out. The value is whether the experiment may be seen.
   */
  settle({ given, right, verdict = given === right ? "right" : "wrong", result, places = {} }) {
    if (this.solving) {
      this.solving({ right, result, places: { ...places, given: undefined } });
      return false;
    }
    if (this.isClosed) return false;
    const { story, name, about, question, screen, classroom } = this;
    const at = new Date().toISOString();
    const answer = { question, given, right, verdict, result, places, screen: screen.number, at };
    if (classroom?.isOn) answer.isShown = !classroom.holds(this);
    this.vote(this.choiceOf(given));
    story.answers.keep(name, about, answer);
    this.draw();
    if (!this.isAnswered) return false;
    this.verdict.focus({ preventScroll: true });
    story.answered({ name, ...answer });
    return true;
  }

  /** Find out what is right, and open the experiment without an answer. */
  async solve() {
    if (this.isGiven || this.solving) return;
    const { story, name, about, question, screen } = this;
    const solved = new Promise((resolve) => (this.solving = resolve));
    answerOf(screen);
    const { right, result, places } = await solved;
    this.solving = null;
    if (!screen.isShown || screen.prediction !== this || this.isGiven) return;
    const at = new Date().toISOString();
    const answer = { question, given: null, right, verdict: "wrong", result, places, screen: screen.number, at };
    story.answers.keep(name, about, { ...answer, isShown: true });
  }
}

/** Eight hexadecimal digits that are the same for the same text (FNV-1a). */
function shortHash(text) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}
