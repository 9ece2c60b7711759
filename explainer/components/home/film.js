// "See how it knew": the pass of this very picture, scene by scene.

const FILM_SECONDS = 18;
const HELD = 0.25; // share of a scene in which nothing moves any more

/** The scenes of a model: {part, reached, seconds, text}. */
function filmScenes(data) {
  const { texts, depth } = data;
  const scenes = [
    { part: "apart", seconds: 2.4, text: texts.film.apart },
    { part: "rows", seconds: 3, text: texts.film.rows },
  ];
  if (data.pool === "cls") scenes.push({ part: "class_token", seconds: 1.8, text: texts.film.class_token });
  scenes.push({ part: "position", seconds: 2.4, text: texts.film[data.has_position ? "position" : "no_position"] });
  for (let block = 0; block < depth; block++) {
    const text = fill(texts.film[depth === 1 ? "only_block" : "block"], { block: block + 1, depth });
    scenes.push({ part: "blocks", reached: block, seconds: 6.4 / depth, text });
  }
  scenes.push({ part: "pool", seconds: 2, text: texts.film[data.pool === "cls" ? "pool" : "average"] });
  scenes.push({ part: "answer", seconds: 2.6, text: texts.film[data.has_head ? "answer" : "features"] });
  const sum = scenes.reduce((total, { seconds }) => total + seconds, 0);
  let start = 0;
  for (const scene of scenes) {
    scene.seconds *= FILM_SECONDS / sum;
    scene.start = start;
    start += scene.seconds;
  }
  return scenes;
}

/** What is to be seen at a time of the film, from 0 to FILM_SECONDS. */
function sceneAt(scenes, time) {
  const at = emptyScene();
  for (const { part, start, seconds, reached = 0 } of scenes) {
    if (time <= start) break;
    const share = Math.min(1, (time - start) / (seconds * (1 - HELD)));
    at[part] = Math.max(at[part], reached + share);
  }
  return at;
}

/** The film's clock and its controls. */
class Film {
  constructor(home, parent) {
    this.home = home;
    this.time = 0;
    this.plays = false;
    this.panel = make("div", "scenes", parent);
    this.panel.role = "group";
    this.caption = make("p", "caption", this.panel);
    this.caption.setAttribute("aria-live", "polite");
    this.slider = make("input", "", this.panel);
    Object.assign(this.slider, { type: "range", min: 0, max: FILM_SECONDS, step: 0.05 });
    const row = make("div", "row", this.panel);
    const button = (name, act) => {
      const made = make("button", name, row);
      made.type = "button";
      made.addEventListener("click", act);
      return made;
    };
    this.buttons = {
      back: button("back", () => this.step(-1)),
      play: button("play", () => (this.plays ? this.pause() : this.play())),
      next: button("next", () => this.step(1)),
      close: button("close", () => this.close()),
    };
    this.slider.addEventListener("input", () => {
      const to = Number(this.slider.value); // pausing shows the time that was
      this.pause();
      this.seek(to);
    });
    this.panel.addEventListener("keydown", (event) => this.press(event));
    this.panel.hidden = true;
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  get isStill() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  get number() {
    const later = this.scenes.findIndex(({ start }) => start > this.time - 1e-6);
    return later < 0 ? this.scenes.length - 1 : Math.max(0, later - 1);
  }

  open() {
    const { data } = this.home;
    this.scenes = filmScenes(data);
    const { texts } = data;
    this.panel.setAttribute("aria-label", texts.film.label);
    this.slider.setAttribute("aria-label", texts.film.slider);
    for (const name of ["back", "next", "close"]) setText(this.buttons[name], texts.film[name]);
    this.panel.hidden = false;
    this.buttons.play.hidden = this.isStill;
    this.home.root.classList.add("playing");
    this.home.resized();
    this.time = 0;
    if (this.isStill) {
      this.seek(this.endOf(0));
      this.buttons.next.focus();
    } else {
      this.play();
      this.buttons.play.focus({ preventScroll: true });
    }
    if (this.home.isNarrow) this.home.stages.scrollIntoView({ block: "start" });
  }

  close() {
    if (!this.isOpen) return;
    this.pause();
    const hadFocus = this.panel.contains(this.panel.getRootNode().activeElement);
    this.panel.hidden = true;
    this.home.root.classList.remove("playing");
    if (this.home.painted.trace) this.home.showAnswer();
    this.home.resized();
    if (hadFocus) this.home.buttons.film.focus({ preventScroll: true });
  }

  play() {
    if (this.time >= FILM_SECONDS) this.time = 0;
    this.plays = true;
    this.last = null;
    this.show();
    this.home.redraw();
  }

  pause() {
    this.plays = false;
    if (this.isOpen) this.show();
  }

  seek(time) {
    this.time = Math.max(0, Math.min(FILM_SECONDS, time));
    this.show();
    this.home.redraw();
  }

  /** The moment at which a scene is complete. */
  endOf(number) {
    const { start, seconds } = this.scenes[number];
    return start + seconds * (1 - HELD / 2);
  }

  step(way) {
    this.pause();
    const { number } = this;
    const isComplete = this.time >= this.scenes[number].start + this.scenes[number].seconds * (1 - HELD);
    const to = way > 0 && !isComplete ? number : number + way;
    this.seek(to < 0 ? 0 : to >= this.scenes.length ? FILM_SECONDS : this.endOf(to));
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.step(event.key === "ArrowRight" ? 1 : -1);
    else if (event.key === "Escape") this.close();
    else if (event.key === " " && event.target === this.slider && !this.isStill) this.buttons.play.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Move the clock on to a frame's time; whether the film still runs. */
  tick(now) {
    if (!this.plays) return false;
    this.time = Math.min(FILM_SECONDS, this.time + (this.last === null ? 0 : (now - this.last) / 1000));
    this.last = now;
    if (this.time >= FILM_SECONDS) this.plays = false;
    this.show();
    return this.plays;
  }

  show() {
    const { texts } = this.home.data;
    const { number, scenes } = this;
    const text = this.home.worded(scenes[number].text);
    setText(this.caption, text);
    this.slider.value = this.time;
    const place = fill(texts.film.place, { number: number + 1, count: scenes.length });
    this.slider.setAttribute("aria-valuetext", `${place} ${text}`);
    setText(this.buttons.play, texts.film[this.plays ? "pause" : this.time >= FILM_SECONDS ? "again" : "play"]);
    this.buttons.back.disabled = this.time <= 0;
    this.buttons.next.disabled = this.time >= FILM_SECONDS;
  }
}
