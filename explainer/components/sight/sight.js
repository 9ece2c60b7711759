// Watches which parts of the page are in sight, or less than a window away. It asks the server only
// if one of them shows an older state, or nothing yet; the server knows this and says it each time.

// of the window's height, above and below; whoever reads a page without scrolling sets another
const MARGIN = globalThis[Symbol.for("vit-explainer.near")] ?? "75% 0px";
const REST = 40; // milliseconds, in which a quick scroll may go on
const PATIENCE = 2000; // milliseconds until an unanswered question is asked again
const MOST = 5; // times that the same is asked

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("i");
  const watch = keptFor(root, () => new Watch());
  watch.send = (near) => setTriggerValue("near", near);
  watch.follow(data);
  return () => {
    watch.end();
    forget(root);
  };
}

class Watch {
  constructor() {
    this.near = new Set();
    this.asked = "";
    this.times = 0;
    const scrolled = document.querySelector("[data-testid='stMain']");
    this.observer = new IntersectionObserver((entries) => this.see(entries), {
      root: scrolled,
      rootMargin: MARGIN,
    });
    this.watched = new Map(); // name → element
  }

  follow({ names, stale }) {
    this.names = names;
    this.stale = new Set(stale);
    this.asked = "";
    for (const name of names) {
      const element = document.querySelector(`.st-key-part-${CSS.escape(name)}`);
      const before = this.watched.get(name);
      if (element === before) continue;
      if (before) this.observer.unobserve(before);
      if (element) this.observer.observe(element);
      this.watched.set(name, element);
    }
    this.ask();
  }

  see(entries) {
    for (const { target, isIntersecting } of entries) {
      const name = this.names.find((one) => this.watched.get(one) === target);
      if (isIntersecting) this.near.add(name);
      else this.near.delete(name);
    }
    this.ask();
  }

  ask() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), REST);
  }

  tell(isAgain = false) {
    const near = this.names.filter((name) => this.near.has(name));
    const asked = near.filter((name) => this.stale.has(name)).join(" ");
    if (!asked || (asked === this.asked && !isAgain)) return;
    this.times = isAgain ? this.times + 1 : 1;
    this.asked = asked;
    clearTimeout(this.retry); // another run may overtake the one that answers this
    if (this.times < MOST) this.retry = setTimeout(() => this.tell(true), PATIENCE);
    const heights = {};
    for (const name of this.names) {
      if (!this.stale.has(name)) heights[name] = this.watched.get(name)?.offsetHeight ?? 0;
    }
    this.send({ near, heights });
  }

  end() {
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    this.observer.disconnect();
  }
}
