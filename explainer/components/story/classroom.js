// The story in the room of a class: a pupil's follows the teacher's, whose story leads. What the class has
// answered comes over the room's line, and only what the teacher has revealed.

const ROOM_SAYS = 60; // milliseconds in which changes of a screen are sent together
const ROOM_PATIENCE = 2000; // milliseconds without a line until a word says so
const ROOM_OWN = 1500; // milliseconds after an own turn in which nobody else turns the teacher's story

class StoryClassroom {
  constructor(story) {
    this.story = story;
    this.seen = null; // what the room's line said last
    this.sent = {}; // what the teacher's story has told the room
    this.turned = 0; // when
    this.voted = new Map(); // name of a question → what this browser has answered
  }

  get isOn() {
    return Boolean(this.member);
  }

  get isTeacher() {
    return this.isOn && this.member.is_teacher;
  }

  /** Whether somebody else turns the screens. */
  get isLed() {
    return this.isOn && !this.isTeacher && this.seen !== null && !this.seen.is_free && this.seen.screen > 0;
  }

  text(name, values = {}) {
    return fill(this.texts[name], values);
  }

  // what comes from the page

  /** Take over in which room this browser is; null for none. */
  choose(member) {
    if (!member || member.code === this.over) {
      if (!this.isOn) return;
      this.close();
      this.story.markTurning();
      this.story.refresh();
      return;
    }
    const isNew = member.code !== this.member?.code;
    if (isNew && this.isOn) this.close();
    this.member = member;
    this.texts = member.texts;
    if (isNew) {
      this.story.answers.enter(member.code);
      this.build();
    }
    if (!this.line) this.open();
    this.line.ticket = member.ticket;
    if (!isNew) this.asks();
    else if (this.story.screen) this.story.show(); // what was answered alone is not the room's
  }

  open() {
    this.wait();
    const { address, ticket } = this.member;
    this.line = new ClassroomLine(address, ticket, (seen) => this.hear(seen), (state) => this.take(state));
  }

  /** The story has been taken away. */
  end() {
    clearTimeout(this.saying);
    clearTimeout(this.patience);
    clearTimeout(this.looking);
    this.line?.close();
    this.line = null;
  }

  close() {
    this.end();
    this.member = this.seen = null;
    this.sent = {};
    this.bar?.remove();
    this.bar = null;
    this.story.root.classList.remove("in-room", "led");
    this.story.answers.leave();
  }

  // the line

  wait() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.sayState(this.texts.connecting), ROOM_PATIENCE);
  }

  /** How the line is: "open", "connecting", or that it has ended with a sentence. */
  take(state) {
    if (!this.isOn) return;
    const { name, sentence = "" } = typeof state === "string" ? { name: state } : state;
    if (name === "open") {
      clearTimeout(this.patience);
      this.sayState("");
      this.sent = {}; // another server may not know it
      this.known = this.seen?.screen; // before the line was lost
      this.asks();
    } else if (name === "ended") this.finish(this.texts.ended);
    else if (name === "refused") this.finish(sentence || this.texts.ended);
    else if (!this.patience || this.state === "open") this.wait();
    this.state = name;
  }

  /** The room is no more: the story goes on alone, and keeps what was answered. */
  finish(sentence) {
    const { story } = this;
    this.over = this.member.code;
    this.close();
    story.markTurning();
    story.refresh();
    const note = make("p", "room-note", null, sentence);
    note.role = "status";
    story.root.querySelector(".top").append(note);
    story.send("heard", { room: "" });
  }

  hear(seen) {
    if (!this.isOn) return;
    const isFirst = this.seen === null;
    this.seen = seen;
    if (this.isTeacher) this.lead(isFirst);
    else this.follow();
    this.update();
  }

  // a pupil's story

  follow() {
    const { story, seen } = this;
    if (seen.is_free || !seen.screen || !story.number) return; // 0 until a teacher's story has led
    story.turnTo(seen.screen, { isFollowed: true });
    const asked = `${seen.screen} ${seen.link}`;
    if (typeof seen.link !== "string" || seen.link === this.member.link || asked === this.asked) return;
    this.asked = asked;
    story.send("heard", { link: seen.link, screen: story.number });
  }

  /** Whether a turn by this browser is allowed; else a sentence says who decides. */
  mayTurn() {
    if (!this.isLed) return true;
    this.story.announce(this.texts.led);
    this.said.animate?.([{ opacity: 0.2 }, { opacity: 1 }], { duration: 600 });
    return false;
  }

  // the teacher's story

  lead(isFirst) {
    const { story, seen } = this;
    const isElsewhere = seen.screen && story.number && seen.screen !== story.number;
    if (isFirst) {
      // whoever opens the story without a screen comes back to where the class is
      if (isElsewhere && screenInAddress(story.count) === null) story.turnTo(seen.screen);
      this.asks();
      return;
    }
    clearTimeout(this.looking);
    if (!isElsewhere || this.saying) return;
    const left = this.turned + ROOM_OWN - Date.now();
    if (left > 0) this.looking = setTimeout(() => this.isOn && this.lead(false), left);
    else story.turnTo(seen.screen); // it was turned on the page of the room
  }

  /** Something that the class should see may have changed. */
  asks() {
    if (!this.isTeacher || !this.seen || this.saying) return;
    this.saying = setTimeout(() => this.publish(), ROOM_SAYS);
  }

  publish() {
    this.saying = null;
    if (!this.isTeacher || !this.story.screen) return;
    const { prediction } = this.story.screen;
    const asked = (this.member.is_shared && prediction?.asked) || null;
    if (asked && this.isRevealed(prediction)) asked.right = this.rightOf(prediction);
    const all = { screen: this.story.number, link: this.member.link, asked };
    const changed = Object.entries(all).filter(([name, value]) => JSON.stringify(value) !== this.sent[name]);
    if (!changed.length) return;
    this.turned = Date.now();
    // a story that has just come does not turn back what the page of the room has turned meanwhile
    const was = this.sent.screen ? {} : { was: this.known ?? this.seen.screen };
    for (const [name, value] of changed) this.sent[name] = JSON.stringify(value);
    // at the next connection all is said anew, by what the room shows then
    this.steer({ ...Object.fromEntries(changed), ...was }, true);
    this.update();
  }

  async steer(changes, isNow = false) {
    try {
      await this.line?.do("steer", changes, isNow);
      this.turned = Date.now();
    } catch (error) {
      this.sayState(error.message);
    }
  }

  /** Show what the class has answered, or hide it again. */
  async reveal() {
    const { prediction } = this.story.screen;
    if (!this.isTeacher || !prediction?.asked || !this.member.is_shared) return;
    if (this.isRevealed(prediction)) {
      this.steer({ hide: prediction.pollName });
      return;
    }
    if (this.isRevealing) return;
    this.isRevealing = true;
    try {
      await prediction.solve(); // what is right is sent with the answers, not before
      if (this.story.screen.prediction !== prediction) return;
      const asked = { ...prediction.asked, right: this.rightOf(prediction) };
      this.sent.asked = JSON.stringify(asked);
      await this.steer({ asked, reveal: prediction.pollName });
    } finally {
      this.isRevealing = false;
    }
  }

  rightOf(prediction) {
    const right = prediction.choiceOf(prediction.answer?.right);
    return right < 0 ? null : right;
  }

  free() {
    if (this.isTeacher && this.seen) this.steer({ is_free: !this.seen.is_free });
  }

  /** The keys of a teacher, and what they do. */
  get keys() {
    return this.isTeacher ? [["r", this.texts.reveal_key], ["g", this.texts.free_key]] : [];
  }

  /** Keys of a teacher; whether this was one. */
  press(key) {
    if (!this.isTeacher) return false;
    if (key === "r") this.reveal();
    else if (key === "g") this.free();
    else return false;
    return true;
  }

  // questions

  isRevealed({ pollName }) {
    return Boolean(this.seen?.revealed?.includes(pollName));
  }

  /** Whether what was answered has to wait. */
  holds(prediction) {
    if (!this.isOn || !prediction.asked) return false;
    if (!this.seen) return true;
    return !this.seen.is_free && !this.isRevealed(prediction);
  }

  /** Whether a question can be answered now; only those that the teacher's screen asks, too. */
  takes(prediction) {
    if (!this.isOn || !prediction.asked) return true;
    if (!this.seen) return false;
    return this.isTeacher || this.seen.is_free || this.isAsked(prediction);
  }

  isAsked({ pollName }) {
    return this.seen?.asked?.name === pollName;
  }

  vote(prediction, choice) {
    const name = prediction.pollName;
    if (!this.isOn || this.isTeacher || choice < 0 || this.voted.has(name) || !this.takes(prediction)) return;
    if (!this.isAsked(prediction) && !this.seen.polls?.[name]) return; // nobody counts it
    this.voted.set(name, choice);
    this.line.do("answer", { question: name, choice }).catch((error) => this.sayState(error.message));
  }

  /** What is counted of a question; null while it is hidden. */
  pollOf(prediction) {
    const poll = this.seen?.polls?.[prediction.pollName];
    if (!poll?.counts || !this.isRevealed(prediction)) return null;
    return { counts: poll.counts, right: prediction.isAnswered ? prediction.choiceOf(prediction.answer.right) : -1 };
  }

  /** How many have answered, of those who are there. */
  countOf(prediction, least = 0) {
    const answered = Math.max(least, this.seen?.polls?.[prediction.pollName]?.answered ?? 0);
    return { answered, present: Math.max(answered, this.seen?.present ?? 0) };
  }

  sayWaiting(prediction) {
    if (this.isRevealed(prediction) || this.seen?.is_free) return "";
    const { answer } = prediction;
    if (answer && !prediction.isAnswered) return this.text("waits", { given: answer.given, ...this.countOf(prediction, 1) });
    if (!answer && this.isLed && prediction.asked && !this.isAsked(prediction)) return this.texts.not_asked;
    return "";
  }

  // what is seen

  build() {
    const { story, texts, member } = this;
    story.root.classList.add("in-room");
    story.root.querySelector(".room-note")?.remove();
    this.bar = make("div", "room-bar", story.root.querySelector(".top"));
    this.bar.role = "group";
    this.bar.setAttribute("aria-label", texts.bar);
    const code = make("span", "code", this.bar, `${texts.room} `);
    make("b", "", code, member.code);
    this.said = make("span", "said", this.bar);
    this.connection = make("span", "connection", this.bar);
    this.connection.role = "status";
    if (!member.is_teacher) {
      this.said.role = "status";
      this.drawer = make("a", "drawer", this.bar, texts.draw);
      this.drawer.dataset.view = "room";
      this.drawer.href = story.addressOfPage("room");
      this.drawer.hidden = true;
      return;
    }
    this.revealer = story.turner(this.bar, "reveal", texts.reveal, () => this.reveal());
    this.revealer.title = texts.reveal_key;
    this.releaser = story.turner(this.bar, "release", texts.free, () => this.free());
    this.releaser.title = texts.free_key;
  }

  sayState(text) {
    if (this.connection) setText(this.connection, text);
  }

  /** Take over what is known of the room, on the screen that is shown. */
  update() {
    const { story, seen } = this;
    if (!this.isOn || !this.bar) return;
    story.root.classList.toggle("led", this.isLed);
    story.markTurning();
    const { screen } = story;
    const prediction = screen?.prediction;
    if (this.isTeacher) this.updateTeacher(prediction);
    else if (seen) this.updatePupil();
    if (!prediction) return;
    this.unveil(prediction);
    screen.prediction?.update();
  }

  updatePupil() {
    const { texts, seen } = this;
    const isDrawing = Boolean(seen.digits_open);
    const said = isDrawing ? texts.draw_open : this.isLed ? texts.led : texts.free_here;
    setText(this.said, said);
    this.drawer.hidden = !isDrawing;
  }

  updateTeacher(prediction) {
    const { texts, seen, member } = this;
    const isAsked = Boolean(prediction?.asked) && member.is_shared;
    let said = texts.asks_nothing;
    if (isAsked) said = this.text("answered", this.countOf(prediction));
    else if (seen) said = this.text("present", { present: seen.present ?? 0 });
    if (!member.is_shared) said = `${said} ${texts.not_shared}`;
    setText(this.said, said);
    const isRevealed = isAsked && this.isRevealed(prediction);
    setText(this.revealer, isRevealed ? texts.hide : texts.reveal);
    this.revealer.disabled = !isAsked || !seen;
    setText(this.releaser, seen?.is_free ? texts.here : texts.free);
    this.releaser.disabled = !seen;
  }

  /** Show what had to wait, once it does not any more. */
  async unveil(prediction) {
    if (!this.seen || this.holds(prediction)) return;
    const { story } = this;
    if (!prediction.isGiven) {
      if (!this.isRevealed(prediction)) return;
      await prediction.solve();
      if (story.screen?.prediction !== prediction || !prediction.isGiven) return;
    } else if (prediction.answer.isShown !== false) {
      if (prediction.verdict) return;
    } else if (prediction.answer.given !== null) {
      story.keepAnswer({ name: prediction.name, ...prediction.answer });
    }
    story.answers.show(prediction.name, prediction.about);
    story.refresh();
    story.announce(this.texts.revealed);
  }
}
