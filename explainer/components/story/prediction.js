// A question before its experiment. The answers stay visible; a wrong one leads to "show me".

/**
 * ``name`` and ``about`` say under what its answer is kept: ``about`` is what it depends on, a model or a
 * picture in a model. A question about a place is answered on the picture, others by their options.
 */
class Prediction {
  constructor(screen, { name = screen.texts.name, about, question, options = null }) {
    Object.assign(this, { screen, story: screen.story, name, about, question, options });
    this.root = make("section", "prediction", screen.words);
    this.draw();
  }

  get answer() {
    return this.story.answers.get(this.name, this.about);
  }

  /** Whether the experiment may be seen. */
  get isAnswered() {
    return Boolean(this.answer);
  }

  draw() {
    const { frame } = this.screen.data;
    this.root.replaceChildren();
    const heading = make("p", "question", this.root);
    make("b", "kind", heading, frame.predict);
    heading.append(" ", this.question);
    const { answer } = this;
    if (this.options) this.drawOptions(answer);
    if (!answer) return;
    const verdict = make("p", `verdict ${answer.verdict}`, this.root);
    verdict.tabIndex = -1;
    make("b", "", verdict, `${{ right: "✓", close: "≈", wrong: "✗" }[answer.verdict]} ${frame[answer.verdict]}`);
    verdict.append(" ", answer.result);
    this.verdict = verdict;
    if (answer.verdict !== "right" && this.screen.showMe) {
      const button = make("button", "quiet", this.root, frame.show_me);
      button.type = "button";
      button.addEventListener("click", () => this.screen.showMe());
    }
  }

  drawOptions(answer) {
    const { frame } = this.screen.data;
    const list = make("div", "options", this.root);
    list.role = "group";
    list.setAttribute("aria-label", this.question);
    this.options.forEach((option, index) => {
      const button = make("button", "option", list, option);
      button.type = "button";
      if (!answer) {
        button.addEventListener("click", () => this.screen.predicted(index, option));
        return;
      }
      button.disabled = true;
      const words = [];
      if (option === answer.given) words.push(frame.your_answer);
      if (option === answer.right) words.push(frame.right_answer);
      button.classList.toggle("given", option === answer.given);
      button.classList.toggle("true", option === answer.right);
      if (words.length) make("span", "which", button, words.join(", "));
    });
  }

  /** Keep the first answer; ``right`` is what turned out. */
  settle({ given, right, verdict = given === right ? "right" : "wrong", result, places = {} }) {
    if (this.isAnswered) return;
    const { story, name, about, question, screen } = this;
    const at = new Date().toISOString();
    const answer = { question, given, right, verdict, result, places, screen: screen.number, at };
    story.answers.keep(name, about, answer);
    this.draw();
    this.verdict.focus({ preventScroll: true });
    story.answered({ name, ...answer });
  }
}
