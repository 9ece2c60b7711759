// What a class has answered: a bar for each option, or the clicks over the picture. Words say it, too.

const POLL_LARGEST = 3; // places of a picture that are named

class StoryPoll {
  constructor(root, prediction) {
    Object.assign(this, { root, prediction });
    root.hidden = true;
  }

  /** Draw the counts of a room; ``poll`` is null while they are hidden. */
  draw(poll) {
    const shown = poll && JSON.stringify([poll.counts, poll.right, this.prediction.answer?.given]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.root.hidden = !poll;
    this.root.replaceChildren();
    if (!poll) return;
    const { prediction } = this;
    const { classroom, choices } = prediction;
    const total = poll.counts.reduce((sum, count) => sum + count, 0);
    const own = prediction.choiceOf(prediction.answer?.given);
    const { right } = poll;
    make("p", "caption", this.root, classroom.text("poll", { count: total }));
    if (choices.length) this.drawBars(poll.counts, choices, total, own, right);
    else this.drawClicks(poll.counts, total, own, right);
  }

  /** What is said of one choice: how many took it, and whose it is. */
  say(name, count, total, at, own, right) {
    const { classroom } = this.prediction;
    const { frame } = this.prediction.screen.data;
    const words = [classroom.text("said", { count, total, name })];
    if (at === own) words.push(frame.your_answer);
    if (at === right) words.push(frame.right_answer);
    return words.join(", ");
  }

  drawBars(counts, choices, total, own, right) {
    const list = make("ul", "poll-bars", this.root);
    const most = Math.max(1, ...counts);
    choices.forEach((name, at) => {
      const count = counts[at] ?? 0;
      const item = make("li", "", list);
      item.classList.toggle("own", at === own);
      item.classList.toggle("true", at === right);
      make("span", "spoken", item, this.say(name, count, total, at, own, right));
      const line = make("span", "line", item);
      line.ariaHidden = "true";
      make("span", "what", line, `${at === right ? "✓ " : ""}${name}`);
      make("b", "", line, String(count));
      const track = make("span", "poll-track", line);
      make("i", "", track).style.width = `${(100 * count) / most}%`;
      if (at === own) make("span", "which", line, this.prediction.screen.data.frame.your_answer);
    });
  }

  drawClicks(counts, total, own, right) {
    const { half } = this.prediction.screen;
    const order = counts.map((_, patch) => patch).filter((patch) => counts[patch] > 0);
    order.sort((one, other) => counts[other] - counts[one]);
    const named = order.slice(0, POLL_LARGEST);
    for (const patch of [own, right]) if (patch >= 0 && !named.includes(patch)) named.push(patch);
    const told = named.map((patch) => this.say(half.patchName(patch), counts[patch] ?? 0, total, patch, own, right));
    const board = new PatchBoard(make("div", "fit clicks", this.root), half, { label: told.join("; ") });
    board.veil(counts, Math.max(1, ...counts));
    if (own >= 0) board.mark("guess", own);
    if (right >= 0) board.mark("best", right);
    const list = make("ul", "poll-words", this.root);
    for (const text of told) make("li", "", list, text);
  }
}
