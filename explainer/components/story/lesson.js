// Tells a teacher's window of the same browser which screen a class sees, and is turned by it.

class StoryLesson {
  constructor(story) {
    this.story = story;
    this.name = Array.from({ length: 2 }, () => Math.random().toString(36).slice(2, 10).padEnd(8, "0")).join("");
    this.used = Date.now();
    this.onUse = () => this.use();
    this.onHide = () => this.line?.say({ kind: "gone", from: this.name });
    this.onShow = () => this.tell();
  }

  listen() {
    this.line ??= new ClassLine((message) => this.hear(message));
    window.addEventListener("focus", this.onUse);
    document.addEventListener("pointerdown", this.onUse, true);
    window.addEventListener("pagehide", this.onHide);
    window.addEventListener("pageshow", this.onShow);
  }

  leave() {
    window.removeEventListener("focus", this.onUse);
    document.removeEventListener("pointerdown", this.onUse, true);
    window.removeEventListener("pagehide", this.onHide);
    window.removeEventListener("pageshow", this.onShow);
  }

  /** The story has been taken away. */
  end() {
    this.onHide();
    this.line?.close();
    this.line = null;
  }

  /** Of several stories the one that was used last leads. */
  use() {
    this.used = Date.now();
    this.tell();
  }

  tell() {
    const { story, used } = this;
    if (!story.number) return;
    const link = new URL(addressOf(1), location.href).search.slice(1);
    const { isBlank } = story.present;
    this.line?.say({ kind: "screen", from: this.name, screen: story.number, isBlank, used, link });
  }

  hear({ kind, to, screen, isBlank }) {
    if (kind === "ask") this.tell();
    if (to !== this.name) return;
    if (kind === "turn") this.story.turnTo(screen);
    if (kind === "blank") this.story.present.blank(isBlank);
  }
}
