// The clock of a film and its controls: play, a slider with a step for each stop, speed, once more.
//
// At a stop the picture is exactly that stop's. Between two stops lies only a transition, which is
// played and never stopped at. Two players on one channel go in step, whichever of them is used.

const FILM_HOLD = 0.9; // seconds at a stop, at normal speed
const FILM_MOVE = 0.6; // seconds from one stop to the next
const FILM_SPEEDS = [0.5, 1, 2, 4];

class FilmPlayer {
  /** ``screen`` has ``paint(at)``, at a stop or between two, and ``describe(stop)``. */
  constructor(parent, screen) {
    this.screen = screen;
    this.at = 0; // a whole number at a stop
    this.count = 1;
    this.plays = this.isLed = false;
    this.clock = 0; // seconds since this stop was reached
    this.speed = 1;
    this.loops = false;
    this.panel = make("div", "player", parent);
    this.panel.role = "group";
    this.button = make("button", "play", this.panel);
    this.button.type = "button";
    this.button.addEventListener("click", () => (this.isMoving ? this.pause() : this.play()));
    this.slider = make("input", "", this.panel);
    Object.assign(this.slider, { type: "range", min: 0, step: 1 });
    this.slider.addEventListener("input", () => {
      const to = Number(this.slider.value);
      this.pause(false);
      this.seek(to);
    });
    this.panel.addEventListener("keydown", (event) => this.press(event));
    const speed = make("label", "choose", this.panel);
    this.speedName = make("span", "", speed);
    this.speeds = make("select", "", speed);
    for (const times of FILM_SPEEDS) make("option", "", this.speeds, `${times} ×`).value = times;
    this.speeds.addEventListener("change", () => {
      this.speed = Number(this.speeds.value);
      this.tell();
    });
    const loop = make("label", "choose", this.panel);
    this.loop = make("input", "", loop);
    this.loop.type = "checkbox";
    this.loopName = make("span", "", loop);
    this.loop.addEventListener("change", () => {
      this.loops = this.loop.checked;
      this.tell();
    });
    this.frame = (now) => this.tick(now);
    this.listener = (message) => this.hear(message);
  }

  get isMoving() {
    return this.plays || this.isLed;
  }

  /** The stop that is shown, or the nearer of the two between which the picture is. */
  get stop() {
    return Math.round(this.at);
  }

  get isStill() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  /** ``channel`` is the one of all films that go in step with this one; null for none. */
  set(texts, count, channel) {
    this.texts = texts;
    this.panel.setAttribute("aria-label", texts.player);
    this.slider.setAttribute("aria-label", texts.slider);
    setText(this.speedName, texts.speed);
    setText(this.loopName, texts.loop);
    this.count = count;
    this.slider.max = count - 1;
    this.slider.disabled = this.button.disabled = count < 2;
    this.at = Math.min(this.stop, count - 1);
    this.join(channel);
    if (this.plays) this.start();
    this.show();
  }

  join(name) {
    const channel = name ? channelOf(name) : null;
    if (channel !== this.channel) {
      this.channel?.listeners.delete(this.listener);
      this.channel = channel;
      if (channel?.choice) this.hear(channel.choice);
    }
    this.channel?.listeners.add(this.listener);
  }

  /** Stop all that goes on by itself; ``set`` takes it up again. */
  leave() {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    this.channel?.listeners.delete(this.listener);
  }

  tell() {
    const { at, count, plays, speed, loops } = this;
    const share = count > 1 ? at / (count - 1) : 0;
    this.channel?.set({ by: this, share, isStop: Number.isInteger(at), plays, speed, loops });
  }

  /** Follow what another player in step did. */
  hear({ by, share, isStop, plays, speed, loops }) {
    if (by === this) return;
    this.plays = false;
    this.isLed = plays;
    Object.assign(this, { speed, loops, clock: 0 });
    const at = share * (this.count - 1);
    this.at = isStop ? Math.round(at) : at;
    this.show();
  }

  play() {
    if (this.stop >= this.count - 1) this.at = 0;
    this.at = this.stop;
    this.clock = 0;
    this.plays = true;
    this.isLed = false;
    this.start();
    this.show();
    this.tell();
  }

  start() {
    this.last = null;
    this.waiting ||= requestAnimationFrame(this.frame);
  }

  /** Stop at the nearest stop. */
  pause(says = true) {
    this.plays = this.isLed = false;
    this.seek(this.stop);
    if (says) this.screen.announce?.(this.screen.describe(this.stop));
  }

  seek(stop) {
    this.at = Math.max(0, Math.min(this.count - 1, stop));
    this.clock = 0;
    this.show();
    this.tell();
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key !== " " || event.target !== this.slider || this.button.disabled) return;
    this.button.click();
    event.preventDefault();
  }

  tick(now) {
    this.waiting = 0;
    if (!this.plays) return;
    const passed = this.last === null ? 0 : Math.min(0.25, (now - this.last) / 1000);
    this.last = now;
    this.clock += passed * this.speed;
    const base = Math.floor(this.at + 1e-9);
    if (base >= this.count - 1) {
      if (this.clock >= FILM_HOLD) {
        if (!this.loops) {
          this.pause();
          return;
        }
        this.at = this.clock = 0;
      }
    } else if (this.clock >= FILM_HOLD + FILM_MOVE) {
      this.clock -= FILM_HOLD + FILM_MOVE;
      this.at = base + 1;
    } else {
      this.at = base + (this.isStill ? 0 : eased((this.clock - FILM_HOLD) / FILM_MOVE));
    }
    this.show();
    this.tell();
    this.waiting ||= requestAnimationFrame(this.frame);
  }

  show() {
    if (!this.texts) return;
    const { stop } = this;
    setText(this.button, this.texts[this.isMoving ? "pause" : "play"]);
    if (Number(this.slider.value) !== stop) this.slider.value = stop;
    this.slider.setAttribute("aria-valuetext", this.screen.describe(stop));
    if (Number(this.speeds.value) !== this.speed) this.speeds.value = this.speed;
    this.loop.checked = this.loops;
    this.screen.paint(this.at);
  }
}
