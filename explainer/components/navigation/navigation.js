// Mounted once for all pages, above each of them; its data has the page's name.

// milliseconds: a page that has not changed for so long stands; and no page is held longer than that
const QUIET = 700;
const PATIENCE = 5000;
const OPENING = 2000;
const MINE = Symbol.for("vit_explainer.navigation");

const mainOf = () => document.querySelector("[data-testid=stMain]");

/**
 * Let a choice on a page replace the entry of the browser's history, and only a new page add one. The
 * story adds its screens past this, by History.prototype, and notes in the entry's state the screen and
 * whether it is presented: what the server writes meanwhile is of before, which must not get into this entry.
 */
function keepHistoryShort() {
  if (history[MINE]) return;
  history[MINE] = true;
  const push = history.pushState;
  history.pushState = function (state, unused, address) {
    const now = new URL(location.href);
    const next = new URL(address ?? now, now);
    const { story: screen, present } = history.state ?? {};
    if (next.pathname !== now.pathname) {
      dispatchEvent(new Event("vit-explainer.left")); // what is shown is still the page before
      push.call(this, state, unused, address);
    } else if (!screen) history.replaceState(state, unused, address);
    else history.replaceState({ ...state, story: screen, present }, unused, atScreen(next, screen, present));
  };
}

/** An address with the story's own screen, presented or not, in place of what it names; at its end as elsewhere. */
function atScreen({ pathname, search, hash }, screen, isPresented) {
  const isOther = (part) => part && !part.startsWith("screen=") && !part.startsWith("present=");
  const others = search.slice(1).split("&").filter(isOther);
  if (isPresented) others.push("present=1");
  if (screen > 1) others.push(`screen=${screen}`);
  return `${pathname}${others.length ? "?" : ""}${others.join("&")}${hash}`;
}

/** Show the page once its title and style are there, and what is in sight has its code and letters, and so its height. */
function open() {
  const root = document.documentElement;
  if (root.classList.contains("is-open")) return;
  let latest = Infinity;
  const waits = () => {
    if (!navigation.title()) return true;
    latest = Math.min(latest, performance.now() + OPENING);
    if (document.fonts.status === "loading") return true;
    return [...document.querySelectorAll("[data-testid=stSkeleton]")].some((one) => {
      if (one.closest("[data-testid=stEvent]")) return true; // the page's own style, which has no place
      const { top, bottom } = one.getBoundingClientRect();
      return bottom > top && top < innerHeight && bottom > 0;
    });
  };
  const look = () => {
    if (waits() && performance.now() < latest) requestAnimationFrame(look);
    else root.classList.add("is-open");
  };
  requestAnimationFrame(look);
}

/**
 * Have the page drawn once more when a lost connection is back. The server may be another one by then,
 * or one that was restarted: it knows nothing of this visitor until something is asked for, and would
 * take the next click for the first one, without what the link says.
 */
function askAgainAfterALoss() {
  const app = document.querySelector("[data-test-connection-state]");
  if (!app || navigation.watched === app) return;
  navigation.watched = app;
  let isLost = false;
  new MutationObserver(() => {
    const isConnected = app.dataset.testConnectionState === "CONNECTED";
    if (isConnected && isLost) navigation.askAgain?.();
    isLost = !isConnected;
  }).observe(app, { attributes: true, attributeFilter: ["data-test-connection-state"] });
}

class Navigation {
  constructor() {
    this.places = new Map(); // page → pixels from its top
    this.view = null;
    this.onScroll = () => {
      // while one page gives way to another, its shrinking scrolls too
      if (location.pathname === this.path && !this.turning && this.title()) {
        this.places.set(this.view, mainOf()?.scrollTop ?? 0);
      }
    };
  }

  /** Return the title of the page that is shown; null until it is there. */
  title() {
    return document.querySelector(`.st-key-page-${this.view} h1`);
  }

  show(view) {
    if (view === this.view) return;
    const isFirst = this.view === null;
    this.view = view;
    this.stop();
    if (isFirst) {
      this.path = location.pathname;
      return;
    }
    this.turn(this.places.get(view) ?? 0);
  }

  /** Stand at a place of the page that comes, as soon as it is long enough, and at its title. */
  turn(top) {
    const main = mainOf();
    if (!main) return;
    this.turning = true;
    let isFocused = false;
    let quiet = 0;
    let limit = 0;
    const arrange = () => {
      const title = this.title();
      if (!isFocused && title) {
        isFocused = true;
        title.tabIndex = -1;
        title.focus({ preventScroll: true });
        limit = setTimeout(interrupt, PATIENCE);
      }
      for (const child of main.children) sizes.observe(child);
      if (main.scrollTop !== top) main.scrollTop = top;
      if (!isFocused) return;
      if (!top) {
        this.stop(); // what grows below does not move it
        return;
      }
      clearTimeout(quiet);
      quiet = setTimeout(interrupt, QUIET);
    };
    const watcher = new MutationObserver(arrange);
    watcher.observe(main, { childList: true, subtree: true, characterData: true });
    const sizes = new ResizeObserver(arrange);
    const interrupt = () => this.stop();
    const kinds = ["wheel", "touchstart", "pointerdown", "keydown"];
    for (const kind of kinds) addEventListener(kind, interrupt, { capture: true, passive: true });
    this.stop = () => {
      watcher.disconnect();
      sizes.disconnect();
      clearTimeout(quiet);
      clearTimeout(limit);
      for (const kind of kinds) removeEventListener(kind, interrupt, { capture: true });
      this.turning = false;
      this.path = location.pathname;
      this.stop = () => {};
    };
    arrange();
  }

  stop() {}
}

const navigation = (globalThis[MINE] ??= new Navigation());

export default function ({ data: { view }, setTriggerValue }) {
  keepHistoryShort();
  const askAgain = () => setTriggerValue("again", true);
  navigation.askAgain = askAgain;
  askAgainAfterALoss();
  navigation.show(view);
  open();
  const main = mainOf();
  main?.addEventListener("scroll", navigation.onScroll, { passive: true });
  return () => {
    main?.removeEventListener("scroll", navigation.onScroll);
    if (navigation.askAgain === askAgain) navigation.askAgain = null;
  };
}
