// Two halves stand side by side where there is room. Where there is none they lie on one another,
// and this switch says which one is seen. The page's style follows ``data-halves`` of its root.

const LEAST = 760; // pixels of the page's main column in which two halves have room
const CHOSEN = Symbol.for("vit-explainer.flipped"); // the half that was seen last

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".flip");
  const flip = keptFor(root, () => new Flip(root));
  flip.follow(data);
  return () => {
    flip.end();
    forget(root);
  };
}

class Flip {
  constructor(root) {
    this.root = root;
    this.observer = new ResizeObserver(() => this.show());
    const main = document.querySelector("[data-testid='stMainBlockContainer']");
    this.main = main;
    if (main) this.observer.observe(main);
  }

  follow({ label, names }) {
    this.root.setAttribute("aria-label", label);
    if (!this.buttons) {
      this.buttons = Object.keys(names).map((half) => {
        const button = document.createElement("button");
        button.type = "button";
        button.setAttribute("role", "radio");
        button.dataset.half = half;
        button.addEventListener("click", () => this.choose(half));
        button.addEventListener("keydown", (event) => this.press(event, half));
        this.root.append(button);
        return button;
      });
    }
    for (const button of this.buttons) button.textContent = names[button.dataset.half];
    this.show();
  }

  press(event, half) {
    const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
    if (!keys.includes(event.key)) return;
    event.preventDefault();
    const other = half === "a" ? "b" : "a";
    this.choose(other);
    this.buttons.find((button) => button.dataset.half === other).focus();
  }

  choose(half) {
    globalThis[CHOSEN] = half;
    this.show();
  }

  show() {
    const isNarrow = this.width() < LEAST;
    const half = globalThis[CHOSEN] ?? "a";
    document.documentElement.dataset.halves = isNarrow ? half : "beside";
    this.root.hidden = !isNarrow;
    for (const button of this.buttons ?? []) {
      const isChosen = button.dataset.half === half;
      button.setAttribute("aria-checked", String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
    }
  }

  /** The width of the main column without its margins. */
  width() {
    if (!this.main) return innerWidth;
    const { paddingLeft, paddingRight } = getComputedStyle(this.main);
    return this.main.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  }

  end() {
    this.observer.disconnect();
    delete document.documentElement.dataset.halves;
  }
}
