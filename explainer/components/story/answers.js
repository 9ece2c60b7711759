// What was predicted, kept in this browser: the first answer to each question counts.

const STORY_STORE = "vit-explainer.story-answers";
const MOST_ANSWERS = 200;

class StoryAnswers {
  constructor() {
    this.kept = this.read();
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
    return this.kept[`${name} ${about}`];
  }

  keep(name, about, answer) {
    this.kept[`${name} ${about}`] ??= answer;
    this.write();
  }

  forget() {
    this.kept = {};
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
