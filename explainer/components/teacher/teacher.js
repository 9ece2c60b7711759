// The teacher's window: what this screen asks, what is right, what to say, and how much time is left. It
// follows the story in another tab of this browser, and turns it.

const TEACHER_LEAVE = 300; // milliseconds after which a window that was taken away has ended
const TEACHER_ASKS = 2000; // milliseconds between two questions who is there
const TEACHER_GONE = 7000; // milliseconds without an answer after which a story is not there any more
const TEACHER_LINE = "teacher-line"; // on which the server is asked about a large model

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".teacher");
  const one = keptFor(root, () => new Teacher(root));
  one.send = setTriggerValue;
  one.update(data);
  return () => one.leave();
}

class Teacher {
  constructor(root) {
    this.root = root;
    this.story = new QuietStory(TEACHER_LINE);
    this.tabs = new Map(); // name of each story → what it said last, and when
    this.number = null;
    this.onKey = (event) => this.press(event);
  }

  // what comes from the server

  update(bytes) {
    clearTimeout(this.leaving);
    this.listen();
    const isNew = this.story.half.take(bytes);
    const look = stageLook(this.root, this.story.data.colours);
    const isOther = isNew || look.isDark !== this.story.look?.isDark;
    this.story.look = look;
    setMarks(this.root, this.story.data.colours);
    if (isOther) this.shown = null;
    if (this.channel.choice) this.choose(this.channel.choice);
  }

  choose(choice) {
    const { half, data } = this.story;
    if (!half.data) return;
    if (!this.texts) {
      this.texts = choice.texts;
      this.plans = choice.plans;
      this.clock = new LessonClock(Object.keys(this.plans));
      this.build();
    }
    if (this.link === undefined) this.asked = choice.link; // what this window shows already
    Object.assign(this, { link: choice.link, says: choice.says, address: choice.address });
    const followed = Math.max(0, choice.query - data.prefix_names.length);
    if (followed !== this.story.followed) {
      half.telling = null;
      this.story.followed = followed;
      this.shown = null;
    }
    const target = choice.target ?? undefined;
    if (target !== this.story.target) {
      this.story.target = target;
      this.shown = null;
    }
    const before = half.live;
    half.openLive(choice.live);
    if (half.live !== before) this.shown = null;
    this.classLink.hidden = !choice.room;
    if (choice.room) {
      this.classLink.href = choice.room.address;
      setText(this.classLink, fill(this.texts.room, choice.room));
    }
    this.number ??= screenInAddress(data.screens.length) ?? 1;
    this.follow();
    this.show();
  }

  listen() {
    if (this.channel) return;
    this.channel = channelOf("teacher");
    this.listener = (choice) => this.choose(choice);
    this.channel.listeners.add(this.listener);
    this.line ??= new ClassLine((message) => this.hear(message));
    document.addEventListener("keydown", this.onKey);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.asking = setInterval(() => this.ask(), TEACHER_ASKS);
    this.ask();
  }

  leave() {
    this.channel?.listeners.delete(this.listener);
    this.channel = null;
    document.removeEventListener("keydown", this.onKey);
    clearInterval(this.ticking);
    clearInterval(this.asking);
    // Streamlit also calls this before it draws the same element again
    this.leaving = setTimeout(() => {
      this.line.close();
      this.line = null;
      this.story.end();
      this.story.half.closeLive();
      this.story.half.closeLine();
    }, TEACHER_LEAVE);
  }

  // the stories of this browser

  ask() {
    this.line?.say({ kind: "ask" });
    for (const [name, { heard }] of this.tabs) {
      if (Date.now() - heard > TEACHER_GONE) this.tabs.delete(name);
    }
    this.follow();
  }

  hear(message) {
    if (message.kind === "gone") this.tabs.delete(message.from);
    else if (message.kind === "screen") this.tabs.set(message.from, { ...message, heard: Date.now() });
    else return;
    this.follow();
  }

  /** The story that was used last. */
  get leader() {
    const all = [...this.tabs.values()].sort((one, other) => other.used - one.used);
    return all[0] ?? null;
  }

  follow() {
    if (!this.texts) return;
    const { leader } = this;
    this.notice.hidden = Boolean(leader);
    this.opener.href = `${this.address}?${this.link}${this.link ? "&" : ""}present=1`;
    this.blank.disabled = !leader;
    const isBlank = Boolean(leader?.isBlank);
    setText(this.blank, isBlank ? this.texts.unblank : this.texts.blank);
    this.blank.setAttribute("aria-pressed", isBlank);
    if (!leader) return;
    if (sorted(leader.link) !== sorted(this.asked)) {
      this.asked = leader.link;
      this.send("link", leader.link);
    }
    if (leader.screen !== this.number) {
      this.number = leader.screen;
      this.show();
    }
  }

  // turning screens

  turnTo(number) {
    if (!(number >= 1 && number <= this.count)) return;
    const { leader } = this;
    if (leader) {
      this.line.say({ kind: "turn", to: leader.from, screen: number });
      leader.screen = number;
    }
    this.number = number;
    this.show();
  }

  turnBlank() {
    const { leader } = this;
    if (leader) this.line.say({ kind: "blank", to: leader.from, isBlank: !leader.isBlank });
  }

  press(event) {
    if (event.defaultPrevented || hasModifier(event) || event.shiftKey || !this.texts) return;
    const [target] = event.composedPath();
    if (isTypedInto(target)) return;
    const act = {
      ArrowRight: () => this.turnTo(this.following),
      PageDown: () => this.turnTo(this.following),
      ArrowLeft: () => this.turnTo(this.number - 1),
      PageUp: () => this.turnTo(this.number - 1),
      b: () => this.turnBlank(),
      ".": () => this.turnBlank(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  get count() {
    return this.story.data.screens.length;
  }

  get minutes() {
    return this.plans[this.clock.plan];
  }

  /** The screen after this one: the plan's next, or the story's where the plan has ended. */
  get following() {
    return nextInPlan(this.minutes, this.number) ?? this.number + 1;
  }

  // the window

  build() {
    const { root, texts } = this;
    root.replaceChildren();
    this.notice = make("p", "notice", root, `${texts.none} `);
    this.opener = make("a", "", this.notice, texts.open);
    this.opener.target = "_blank";
    this.buildClock(make("section", "clock", root));
    const now = make("section", "now", root);
    this.progress = make("p", "progress", now);
    this.title = make("h2", "", now);
    this.question = make("p", "question", now);
    this.answer = make("p", "answer", now);
    this.answer.role = "status";
    const mini = make("div", "story mini", now);
    mini.ariaHidden = "true"; // the answer says it in words
    mini.inert = true;
    this.stage = make("div", "stage", mini);
    const notes = make("section", "notes", root);
    make("h3", "", notes, texts.say);
    this.list = make("ul", "", notes);
    make("h3", "", notes, texts.next_title);
    this.coming = make("p", "coming", notes);
    this.comingText = make("p", "", notes);
    const tools = make("nav", "remote", root);
    tools.setAttribute("aria-label", texts.remote);
    this.back = this.button(tools, texts.back, () => this.turnTo(this.number - 1));
    this.blank = this.button(tools, texts.blank, () => this.turnBlank());
    this.next = this.button(tools, texts.next, () => this.turnTo(this.following), "primary");
  }

  buildClock(parent) {
    const { texts, clock } = this;
    const list = make("div", "plans", parent);
    list.role = "group";
    list.setAttribute("aria-label", texts.plan);
    this.choices = Object.keys(this.plans).map((plan) => {
      const button = this.button(list, fill(texts.minutes, { minutes: plan }), () => {
        clock.choose(plan);
        this.show();
      });
      return [plan, button];
    });
    this.starter = this.button(parent, texts.start, () => {
      clock.toggle();
      this.tick();
    });
    this.button(parent, texts.reset, () => {
      clock.reset();
      this.tick();
    });
    this.left = make("b", "remaining", parent);
    this.pace = make("span", "pace", parent);
    this.pace.role = "status";
    this.classLink = make("a", "room-link", parent);
    this.classLink.target = "_blank";
    this.classLink.hidden = true;
  }

  button(parent, text, act, className = "") {
    const button = make("button", className, parent, text);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  /** Show the screen; its answer comes as soon as it is computed. */
  async show() {
    this.tick();
    if (!this.texts || this.shown === this.number) return;
    this.shown = this.number;
    const { story, texts, number } = this;
    const { frame, screens } = story.data;
    const { facts } = story.half;
    const screen = screens[number - 1];
    setText(this.progress, fill(frame.progress, { number, count: screens.length }));
    setText(this.title, fill(screen.title, facts));
    this.list.replaceChildren(...this.says[number - 1].map((text) => make("li", "", null, fill(text, facts))));
    this.back.disabled = number === 1;
    setText(this.question, "");
    setText(this.answer, texts.computing);
    this.tick();
    const known = await story.show(number, this.stage, texts);
    if (!known || this.shown !== number) return;
    setText(this.question, known.question);
    const { right, result } = known;
    const words = right && !result.includes(right) ? [right, result] : [result];
    this.answer.replaceChildren();
    if (!result) return;
    make("b", "", this.answer, `${right === null ? texts.now : texts.answer} `);
    this.answer.append(words.join(". "));
  }

  /** Say how much time is left, and what comes next by the plan. */
  tick() {
    if (!this.texts) return;
    const { texts, clock, minutes, number, story } = this;
    for (const [plan, button] of this.choices) button.setAttribute("aria-pressed", plan === clock.plan);
    setText(this.starter, clock.isRunning ? texts.pause : clock.minutes ? texts.go_on : texts.start);
    const left = Number(clock.plan) - clock.minutes;
    const time = left >= 0 ? texts.left : texts.over;
    setText(this.left, fill(time, { minutes: left >= 0 ? Math.ceil(left) : Math.ceil(-left) }));
    setText(this.pace, number ? this.paceOf(minutes, number) : "");
    if (!number) return;
    const { following } = this;
    const screen = story.data.screens[following - 1];
    this.next.disabled = !screen;
    const { facts } = story.half;
    const title = screen ? fill(screen.title, facts) : texts.end;
    setText(this.coming, screen ? fill(story.data.frame.step, { number: following, title }) : title);
    setText(this.comingText, screen ? fill(screen.short, facts) : "");
  }

  paceOf(minutes, number) {
    const { texts, clock } = this;
    const own = minutes[number - 1];
    const here = own ? fill(own === 1 ? texts.here_one : texts.here, { minutes: own }) : texts.left_out;
    if (!clock.isRunning && !clock.minutes) return here;
    const behind = minutesBehind(minutes, number, clock.minutes);
    const text = behind ? texts[`${behind > 0 ? "behind" : "ahead"}${Math.abs(behind) === 1 ? "_one" : ""}`] : texts.on_time;
    return `${here} ${fill(text, { minutes: Math.abs(behind) })}`;
  }
}

/** A link's values in one order, so that two links can be compared. */
function sorted(link) {
  const values = new URLSearchParams(link);
  values.sort();
  return values.toString();
}
