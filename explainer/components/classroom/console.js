// The teacher's console of a class: its code, who is there, the poll of the screen, and what to do next.
// All of it comes over the class's line, so that no answer of a pupil runs the page's script.

const CONSOLE_LEAVE = 300; // milliseconds after which a console that was taken away has ended
const CONSOLE_ASKS = 2000; // milliseconds between two questions whether a story is open in this browser
const CONSOLE_GONE = 7000; // milliseconds without an answer after which none is open
const CONSOLE_NOTICES = 5000; // milliseconds until the console says that no story is open
const CONSOLE_PLACES = 3; // places of a picture that are named
const CONSOLE_OWN = ["room", "screen", "present", "code", "controls"]; // what of a link changes no picture

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".console");
  const one = keptFor(root, () => new ClassConsole(root));
  one.send = setTriggerValue;
  one.update(data);
  return () => one.leave();
}

class ClassConsole {
  constructor(root) {
    this.root = root;
    this.seen = null; // what the line said last
    this.heard = 0; // when a story of this browser was heard last
  }

  // what comes from the page

  update(data) {
    clearTimeout(this.leaving);
    const isOther = data.code !== this.data?.code;
    this.data = data;
    this.texts = data.texts;
    if (isOther) {
      this.endLine();
      this.seen = null;
      this.build();
    }
    this.drawDoor();
    this.listen();
    this.line.ticket = data.ticket;
    if (this.seen) this.draw();
  }

  listen() {
    if (this.line) return;
    const { address, ticket } = this.data;
    this.line = new ClassroomLine(address, ticket, (seen) => this.hear(seen), (state) => this.sayState(state));
    this.stories ??= new ClassLine((message) => this.hearStory(message));
    this.asking = setInterval(() => this.ask(), CONSOLE_ASKS);
    this.since = Date.now();
    this.ask();
  }

  leave() {
    // Streamlit also calls this before it draws the same element again
    this.leaving = setTimeout(() => this.endLine(), CONSOLE_LEAVE);
  }

  endLine() {
    clearInterval(this.asking);
    this.line?.close();
    this.stories?.close();
    this.line = this.stories = null;
  }

  // the line

  hear(seen) {
    this.seen = seen;
    const link = linkOfPicture(seen.link);
    if (seen.link && link !== linkOfPicture(this.data.link) && link !== this.sentLink) {
      this.sentLink = link;
      this.send("link", seen.link);
    }
    this.draw();
  }

  sayState(state) {
    const { name, sentence = "" } = typeof state === "string" ? { name: state } : state;
    const isOver = ["ended", "refused", "closed"].includes(name);
    if (isOver) this.endLine();
    setText(this.connection, name === "open" ? "" : isOver ? sentence || this.texts.over : this.texts.connecting);
  }

  async steer(changes) {
    setText(this.problem, "");
    try {
      await this.line?.do("steer", changes);
    } catch (error) {
      setText(this.problem, error.message);
    }
  }

  // stories of this browser

  ask() {
    this.stories?.say({ kind: "ask" });
    if (this.isAlone !== this.isStoryMissing) this.draw();
  }

  hearStory({ kind }) {
    if (kind === "gone") this.heard = 0;
    else if (kind === "screen") this.heard = Date.now();
    else return;
    if (this.isAlone !== this.isStoryMissing) this.draw();
  }

  get isStoryMissing() {
    return Date.now() - this.since > CONSOLE_NOTICES && Date.now() - this.heard > CONSOLE_GONE;
  }

  // what the class is asked

  get screens() {
    return this.data.screens;
  }

  get question() {
    return this.isTurning ? null : (this.seen?.asked ?? null);
  }

  /** Whether the story has not followed to the screen yet: what it asks is still the last screen's. */
  get isTurning() {
    const { asked, screen } = this.seen ?? {};
    return Boolean(asked) && asked.name.split(".")[0] !== Object.keys(this.data.names)[screen - 1];
  }

  get poll() {
    return this.seen?.polls?.[this.question?.name] ?? null;
  }

  get isRevealed() {
    return Boolean(this.question) && this.seen.revealed.includes(this.question.name);
  }

  get answered() {
    return this.poll?.answered ?? 0;
  }

  /** How many there are to answer; a pupil who has left has still answered. */
  get present() {
    return Math.max(this.seen?.present ?? 0, this.answered);
  }

  /** Whether the lesson has begun: a screen was turned, or a question answered. */
  get hasBegun() {
    const { seen } = this;
    return this.began || seen.screen > 1 || Object.values(seen.polls ?? {}).some((poll) => poll.answered > 0);
  }

  turn(number) {
    if (number >= 1 && number <= this.screens.length) this.steer({ screen: number });
  }

  reveal() {
    const { question } = this;
    if (question) this.steer(this.isRevealed ? { hide: question.name } : { reveal: question.name });
  }

  // what is seen

  build() {
    const { root, texts } = this;
    root.replaceChildren();
    this.shown = this.steps = this.kept = undefined;
    this.door = make("section", "door", root);
    this.door.setAttribute("aria-label", texts.door);
    const words = make("div", "words", this.door);
    make("p", "label", words, texts.join);
    this.letters = make("p", "letters", words);
    this.where = make("p", "where", words);
    this.local = make("p", "local", words);
    this.square = make("img", "square", this.door);
    this.square.alt = texts.square;
    this.count = make("p", "count", words);
    this.count.role = "status";
    this.connection = make("p", "connection", root);
    this.connection.role = "status";
    const now = make("section", "now", root);
    this.progress = make("p", "progress", now);
    this.title = make("h2", "", now);
    this.wording = make("p", "question", now);
    this.told = make("p", "told", now);
    this.told.role = "status";
    this.result = make("div", "result", now);
    const guide = make("section", "guide", root);
    guide.setAttribute("aria-label", texts.guide);
    this.hint = make("p", "hint", guide);
    this.hint.role = "status";
    this.step = make("div", "step", guide);
    this.problem = make("p", "problem", guide);
    this.problem.role = "alert";
    this.buildTools(make("nav", "remote", guide));
    this.past = make("details", "past", root);
    make("summary", "", this.past, texts.past);
    this.list = make("ul", "", this.past);
  }

  buildTools(tools) {
    const { texts } = this;
    tools.setAttribute("aria-label", texts.remote);
    this.back = this.button(tools, texts.back, () => this.turn(this.seen.screen - 1));
    this.next = this.button(tools, texts.next, () => this.turn(this.seen.screen + 1));
    const label = make("label", "choose", tools);
    make("span", "spoken", label, texts.screen);
    this.chooser = make("select", "", label);
    this.chooser.addEventListener("change", () => this.turn(Number(this.chooser.value)));
    this.screens.forEach((title, at) => {
      const option = make("option", "", this.chooser, fill(texts.numbered, { number: at + 1, title }));
      option.value = at + 1;
    });
    this.hider = this.button(tools, texts.hide, () => this.reveal());
    this.release = this.button(tools, texts.free, () => this.steer({ is_free: !this.seen.is_free }));
    for (const one of [this.back, this.next, this.chooser, this.hider, this.release]) one.disabled = true;
  }

  button(parent, text, act, className = "") {
    const button = make("button", className, parent, text);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  drawDoor() {
    const { data, texts } = this;
    setText(this.letters, data.code);
    this.letters.setAttribute("aria-label", [...data.code].join(" "));
    this.where.replaceChildren(`${texts.at} `);
    make("b", "", this.where, data.where);
    this.drawLocal();
    if (this.square.src !== data.square) this.square.src = data.square;
    this.screens.forEach((title, at) => {
      setText(this.chooser.options[at], fill(texts.numbered, { number: at + 1, title }));
    });
  }

  // that a link to this computer leads the class to nothing, and where it would lead them here
  drawLocal() {
    const { data, texts } = this;
    if (!data.is_local || !data.elsewhere) return setText(this.local, data.is_local ? texts.local : "");
    const [before, after] = texts.local_here.split("{address}");
    const link = document.createElement("a");
    link.href = data.elsewhere;
    link.textContent = data.elsewhere.replace(/^\w+:\/\//, "");
    this.local.replaceChildren(before, link, after);
  }

  draw() {
    const { seen, texts, screens } = this;
    if (!seen) return;
    this.isAlone = this.isStoryMissing;
    const here = seen.present ?? 0;
    setText(this.count, here === 1 ? texts.here_one : here ? fill(texts.here, { count: here }) : texts.here_none);
    const { hasBegun, isRevealed, question } = this;
    this.root.classList.toggle("begun", Boolean(hasBegun));
    const number = Math.min(Math.max(seen.screen || 1, 1), screens.length);
    setText(this.progress, fill(texts.progress, { number, count: screens.length }));
    setText(this.title, screens[number - 1]);
    this.chooser.value = String(number);
    this.chooser.disabled = false;
    this.back.disabled = number === 1;
    this.next.disabled = number === screens.length;
    this.release.disabled = false;
    setText(this.release, seen.is_free ? texts.bring : texts.free);
    this.hider.disabled = !question;
    setText(this.hider, isRevealed ? texts.hide : texts.reveal);
    setText(this.wording, question?.question ?? (hasBegun && !this.isTurning ? texts.asks_nothing : ""));
    setText(this.told, question ? fill(texts.answered, { answered: this.answered, present: this.present }) : "");
    this.drawPoll();
    this.drawStep(number);
    this.drawPast();
  }

  /** The one thing to do now, as a sentence and its button. */
  drawStep(number) {
    const { texts, seen, question, isRevealed } = this;
    const count = seen.present ?? 0;
    let hint = texts.talk;
    let kind = "next";
    if (!this.hasBegun) {
      hint = count ? texts.begin_hint : texts.wait_hint;
      kind = "begin";
    } else if (this.isAlone) [hint, kind] = [texts.alone_hint, "open"];
    else if (this.isTurning) [hint, kind] = [texts.turning_hint, ""]; // a second click would skip a screen
    else if (question && !isRevealed) {
      const all = this.answered && this.answered >= this.present;
      [hint, kind] = [all ? texts.all_hint : texts.reveal_hint, "reveal"];
    } else if (number === this.screens.length) [hint, kind] = [texts.end_hint, ""];
    else if (!question) hint = texts.next_hint;
    setText(this.hint, hint);
    this.hider.hidden = kind === "reveal"; // the large button does it
    if (this.steps === kind) return;
    const hadFocus = this.step.contains(this.root.getRootNode().activeElement);
    this.steps = kind;
    this.step.replaceChildren();
    let made = null;
    if (kind === "next") made = this.button(this.step, texts.next_screen, () => this.turn(this.seen.screen + 1), "primary");
    if (kind === "reveal") made = this.button(this.step, texts.reveal, () => this.reveal(), "primary");
    if (kind === "begin" || kind === "open") {
      made = make("a", "primary", this.step, texts[kind]);
      made.href = this.data.story;
      made.target = "_blank";
      made.addEventListener("click", () => {
        this.began = true;
        this.since = Date.now();
        this.draw();
      });
    }
    if (hadFocus) made?.focus();
  }

  // answers

  /** Draw the answers once they are revealed; until then nobody can look over a shoulder. */
  drawPoll() {
    const { question, isRevealed, poll } = this;
    const counts = isRevealed ? poll?.counts : null;
    const isGrid = question && !question.options?.length;
    const kind = counts && `${question.name} ${question.right} ${isGrid ? this.data.picture.src.length : ""}`;
    if (!counts) {
      if (this.shown) this.result.replaceChildren();
      this.shown = null;
      return;
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (this.shown !== kind) {
      this.shown = kind;
      this.result.replaceChildren();
      this.verdict = make("p", "verdict", this.result);
      this.verdict.role = "status";
      this.bars = isGrid ? this.buildMap(question) : this.buildBars(question);
      this.result.getBoundingClientRect(); // so that the bars grow from nothing
    }
    setText(this.verdict, this.sayMost(question, counts, total));
    if (isGrid) this.fillMap(question, counts, total);
    else this.fillBars(question, counts, total);
  }

  /** "19 of 28 said the corner", of the right answer, or of the one that most gave. */
  sayMost(question, counts, total) {
    const { texts } = this;
    if (!total) return texts.nobody;
    const right = Number.isInteger(question.right) && question.right in counts ? question.right : -1;
    const most = Math.max(...counts);
    const said = (at) => fill(texts.said, { count: counts[at], total, name: this.nameOf(question, at) });
    const isOne = counts.indexOf(most) === counts.lastIndexOf(most);
    if (right < 0) return isOne ? `${said(counts.indexOf(most))}.` : fill(texts.tie, { count: most, total });
    const name = this.nameOf(question, right);
    const told = counts[right] ? `${said(right)}. ${texts.and_right}` : fill(texts.none_said, { name });
    if (counts[right] === most || !isOne) return told;
    return `${told} ${fill(texts.most, { said: said(counts.indexOf(most)) })}`;
  }

  nameOf({ options, columns }, at) {
    if (options?.length) return options[at];
    return fill(this.texts.place, { row: Math.floor(at / columns) + 1, column: (at % columns) + 1 });
  }

  buildBars({ options, right }) {
    const list = make("ul", "bars", this.result);
    return options.map((option, at) => {
      const item = make("li", at === right ? "true" : "", list);
      make("span", "what", item, at === right ? `✓ ${option}` : option);
      const track = make("span", "track", item);
      const bar = make("i", "", track);
      const count = make("b", "", item);
      return { bar, count };
    });
  }

  fillBars({ right }, counts, total) {
    const most = Math.max(1, ...counts);
    this.bars.forEach(({ bar, count }, at) => {
      bar.style.width = `${(100 * (counts[at] ?? 0)) / most}%`;
      const said = fill(this.texts.of, { count: counts[at] ?? 0, total });
      setText(count, at === right ? `${said}, ${this.texts.right}` : said);
    });
  }

  buildMap({ rows, columns, right }) {
    const { picture } = this.data;
    const both = make("div", "clicks", this.result);
    const frame = make("div", "frame", both);
    frame.role = "img";
    const image = make("img", "", frame);
    image.src = picture.src;
    image.alt = "";
    image.style.imageRendering = picture.rendering;
    const grid = make("div", "grid", frame);
    grid.style.gridTemplate = `repeat(${rows}, 1fr) / repeat(${columns}, 1fr)`;
    this.cells = Array.from({ length: rows * columns }, (_, at) => make("i", at === right ? "true" : "", grid));
    this.frame = frame;
    return make("ol", "places", both);
  }

  fillMap(question, counts, total) {
    const most = Math.max(1, ...counts);
    this.cells.forEach((cell, at) => {
      cell.style.setProperty("--heat", (counts[at] ?? 0) / most);
      setText(cell, counts[at] ? String(counts[at]) : "");
    });
    const order = counts.map((count, at) => ({ count, at })).filter(({ count }) => count);
    order.sort((one, other) => other.count - one.count || one.at - other.at);
    const lines = order.slice(0, CONSOLE_PLACES).map(({ count, at }) => {
      const said = fill(this.texts.said, { count, total, name: this.nameOf(question, at) });
      return at === question.right ? `${said}, ${this.texts.right}` : said;
    });
    this.bars.replaceChildren(...lines.map((line) => make("li", "", null, line)));
    this.frame.setAttribute("aria-label", fill(this.texts.clicks, { places: lines.join("; ") || this.texts.nobody }));
  }

  /** All questions so far, with what is known of them. */
  drawPast() {
    const { seen, texts } = this;
    const polls = Object.entries(seen.polls ?? {}).filter(([, poll]) => poll.answered > 0);
    this.past.hidden = !polls.length;
    const key = JSON.stringify([polls, seen.revealed]);
    if (key === this.kept) return;
    this.kept = key;
    const lines = polls.map(([name, poll]) => {
      const item = make("li", "");
      make("span", "", item, poll.question || this.data.names[name.split(".")[0]] || name);
      const isShown = poll.counts && seen.revealed.includes(name);
      const told = isShown ? this.sayMost(poll, poll.counts, poll.answered) : fill(texts.past_one, poll);
      make("span", "past-told", item, told);
      return item;
    });
    this.list.replaceChildren(...lines);
  }
}

/** What of a link decides which picture is seen, in one order. */
function linkOfPicture(link) {
  const values = new URLSearchParams(link ?? "");
  for (const name of CONSOLE_OWN) values.delete(name);
  values.sort();
  return values.toString();
}

