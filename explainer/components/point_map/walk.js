// A slider with a step for each stop of a way, and a button that goes from one stop to the next.

const WALK_HOLD = 1500; // milliseconds from one stop to the next

class Walk {
  /** ``go(stop)`` is called when another stop is chosen or reached; ``describe(stop)`` says it. */
  constructor(parent, { name, play, pause, stops }, { at, go, describe }) {
    Object.assign(this, { at, go, describe, play, pause, count: stops });
    const row = make("div", "walk", parent);
    Object.assign(row, { role: "group" });
    row.setAttribute("aria-label", name);
    this.label = make("span", "name", row);
    this.button = make("button", "", row);
    this.button.type = "button";
    this.slider = make("input", "", row);
    Object.assign(this.slider, { type: "range", min: 0, max: stops - 1, step: 1, disabled: stops < 2 });
    this.slider.setAttribute("aria-label", name);
    this.slider.addEventListener("input", () => {
      const stop = Number(this.slider.value);
      this.stop();
      this.set(stop);
    });
    this.button.hidden = stops < 2;
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    this.show();
  }

  start() {
    this.set(this.at >= this.count - 1 ? 0 : this.at + 1);
    this.timer = setInterval(() => {
      this.set(this.at + 1);
      if (this.at >= this.count - 1) this.stop();
    }, WALK_HOLD);
    this.show();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.show();
  }

  set(stop) {
    this.at = Math.max(0, Math.min(this.count - 1, stop));
    this.show();
    this.go(this.at);
  }

  /** Stand at a stop that another one has chosen. */
  follow(stop) {
    clearInterval(this.timer);
    this.timer = 0;
    this.at = stop;
    this.show();
  }

  show() {
    setText(this.button, this.timer ? this.pause : this.play);
    setText(this.label, this.describe(this.at));
    this.slider.value = this.at;
    this.slider.setAttribute("aria-valuetext", this.describe(this.at));
  }
}
