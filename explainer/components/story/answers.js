// What was predicted, kept in this browser: the first answer to each question counts.

const STORY_STORE = "vit-explainer.story-answers";
const MOST_ANSWERS = 200;

class StoryAnswers {
  constructor() {
    this.room = ""; // each room of a class has answers of its own
    this.kept = this.read();
  }

  keyOf(name, about, room = this.room) {
    return `${room}${room && ":"}${name} ${about}`;
  }

  read() {
    try {
      const kept = JSON.parse(localStorage.getItem(STORY_STORE) ?? "{}");
      return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
    } catch {
      return {}; // no storage, or somebody else's text in it
    }
  }

  /** Another part of the app may have been asked to forget all answers. */
  reread() {
    this.kept = this.read();
  }

  get(name, about) {
    return this.kept[this.keyOf(name, about)];
  }

  keep(name, about, answer) {
    this.kept[this.keyOf(name, about)] ??= answer;
    this.write();
  }

  /** What waited may be shown from now on. */
  show(name, about) {
    const answer = this.get(name, about);
    if (!answer || answer.isShown) return;
    answer.isShown = true;
    this.write();
  }

  /** Answers given before are others than those given in a room. */
  enter(room) {
    this.room = room;
  }

  /** The room has ended: what was answered there is kept like what was answered alone. */
  leave() {
    const start = `${this.room}:`;
    for (const [key, { isShown, ...answer }] of Object.entries(this.kept)) {
      if (!this.room || !key.startsWith(start)) continue;
      delete this.kept[key];
      if (answer.given !== null) this.kept[key.slice(start.length)] ??= answer;
    }
    this.room = "";
    this.write();
  }

  forget() {
    const isHere = (key) => !this.room || key.startsWith(`${this.room}:`);
    this.kept = Object.fromEntries(Object.entries(this.kept).filter(([key]) => !isHere(key)));
    this.write();
  }

  write() {
    this.kept = Object.fromEntries(Object.entries(this.kept).slice(-MOST_ANSWERS));
    try {
      localStorage.setItem(STORY_STORE, JSON.stringify(this.kept));
    } catch {
      // they last as long as the page
    }
  }
}
