// The picture under a grid of patches that are covered, swapped, or moved together.

const FOOL_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FOOL_FAR = 5; // pixels that a key moves the picture by, with Shift
const FOOL_DRAG = 6; // CSS pixels from which a press is a drag

class FoolBoard {
  /** ``fool`` hears: cover(places, how), swap(one, other), move(right, down, isDone). */
  constructor(parent, fool) {
    this.fool = fool;
    this.stop = 0;
    this.taken = null; // the place whose patch is to be swapped
    this.drag = null;
    this.fit = make("div", "fit", parent);
    this.root = make("div", "board", this.fit);
    this.canvas = make("canvas", "pixels", this.root);
    this.canvas.ariaHidden = "true";
    this.cells = make("div", "cells", this.root);
    this.cells.role = "group";
    this.listen();
  }

  /** Build the places of a picture of another shape. */
  build({ rows, columns, image_width: width, image_height: height, texts }) {
    this.fit.style.setProperty("--ratio", width / height);
    this.cells.style.gridTemplate = `repeat(${rows}, minmax(0, 1fr)) / repeat(${columns}, minmax(0, 1fr))`;
    this.cells.setAttribute("aria-label", texts.play.picture);
    this.cells.replaceChildren();
    this.places = Array.from({ length: rows * columns }, (_, place) => {
      const cell = make("button", "place", this.cells);
      cell.type = "button";
      cell.dataset.place = place;
      cell.tabIndex = place ? -1 : 0;
      return cell;
    });
    [this.stop, this.taken, this.drag] = [0, null, null];
  }

  /** Show pixels and how each place's patch is covered. */
  show(pixels, { cover, swaps }) {
    const { data } = this.fool;
    const { image_height: height, image_width: width, channels } = data;
    const { context, picture } = resize(this.canvas, width, height);
    for (let at = 0; at < height * width; at++) {
      for (let channel = 0; channel < 3; channel++) {
        picture.data[4 * at + channel] = pixels[at * channels + (channels === 3 ? channel : 0)];
      }
      picture.data[4 * at + 3] = 255;
    }
    context.putImageData(picture, 0, 0);
    this.canvas.classList.toggle("pixelated", width <= 96);
    this.order = orderAfter(swaps, this.places.length);
    this.places.forEach((cell, place) => {
      const patch = this.order[place];
      const how = cover[patch] ?? "";
      if (cell.dataset.how !== how) cell.dataset.how = how;
      cell.classList.toggle("foreign", patch !== place);
      this.label(place, how);
    });
  }

  label(place, how) {
    const cell = this.places[place];
    const { play } = this.fool.data.texts;
    const words = [this.fool.patchName(place)];
    const patch = this.order[place];
    if (patch !== place) words.push(fill(play.holds, { patch: this.fool.patchName(patch) }));
    if (how) words.push(play[`covered_${how}`]);
    if (place === this.taken) words.push(play.taken);
    const text = words.join(", ");
    if (cell.getAttribute("aria-label") !== text) cell.setAttribute("aria-label", text);
    const isPressed = String(this.fool.tool === "swap" ? place === this.taken : Boolean(how));
    if (cell.ariaPressed !== isPressed) cell.ariaPressed = isPressed;
  }

  /** Take another tool into the hand. */
  hold(tool) {
    this.take(null);
    this.root.dataset.tool = tool;
  }

  take(place) {
    const before = this.taken;
    this.taken = place;
    for (const one of [before, place]) {
      if (one === null) continue;
      this.places[one].classList.toggle("taken", one === place);
      this.label(one, this.places[one].dataset.how);
    }
  }

  /** Show the places of a solution, or none. */
  mark(places) {
    this.places.forEach((cell, place) => cell.classList.toggle("solved", places.includes(place)));
  }

  listen() {
    const { cells } = this;
    cells.addEventListener("pointerdown", (event) => this.press(event));
    cells.addEventListener("pointermove", (event) => this.pull(event));
    cells.addEventListener("pointerup", (event) => this.release(event));
    cells.addEventListener("pointercancel", () => this.abandon());
    cells.addEventListener("lostpointercapture", () => this.abandon());
    cells.addEventListener("click", (event) => {
      if (event.detail === 0) this.enter(Number(event.target.dataset.place)); // by keyboard
    });
    cells.addEventListener("focusin", (event) => this.rove(Number(event.target.dataset.place)));
    cells.addEventListener("keydown", (event) => this.key(event));
    cells.addEventListener("dragstart", (event) => event.preventDefault());
  }

  placeAt(event) {
    const box = this.cells.getBoundingClientRect();
    const { rows, columns } = this.fool.data;
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    return row >= 0 && row < rows && column >= 0 && column < columns ? row * columns + column : null;
  }

  press(event) {
    const place = this.placeAt(event);
    if (event.button || !event.isPrimary || place === null || !this.fool.mayPlay) return;
    this.cells.setPointerCapture(event.pointerId);
    this.places[place].focus({ preventScroll: true });
    const { tool } = this.fool;
    this.drag = { tool, place, x: event.clientX, y: event.clientY, last: place, hasMoved: false };
    if (tool === "cover") {
      const isCovered = this.places[place].dataset.how === this.fool.way;
      this.drag.how = isCovered ? null : this.fool.way;
      this.fool.cover([place], this.drag.how, false);
    } else if (tool === "move") this.drag.from = this.fool.edits.move;
  }

  pull(event) {
    const { drag } = this;
    if (!drag) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) >= FOOL_DRAG;
    drag.hasMoved ||= far;
    if (drag.tool === "move") {
      const box = this.cells.getBoundingClientRect();
      const { image_width: width, image_height: height } = this.fool.data;
      const right = drag.from[0] + Math.round(((event.clientX - drag.x) / box.width) * width);
      const down = drag.from[1] + Math.round(((event.clientY - drag.y) / box.height) * height);
      if (drag.hasMoved) this.fool.move(right, down, "drag");
      return;
    }
    const place = this.placeAt(event);
    if (place === null || place === drag.last) return;
    if (drag.tool === "cover") this.fool.cover(this.between(drag.last, place), drag.how, true);
    else this.aim(place === drag.place ? null : place);
    drag.last = place;
  }

  /** The places on the way from one to another, so that a fast brush leaves no gaps. */
  between(one, other) {
    const { columns } = this.fool.data;
    const [x0, y0, x1, y1] = [one % columns, Math.floor(one / columns), other % columns, Math.floor(other / columns)];
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
    const at = (from, to, step) => Math.round(from + ((to - from) * step) / steps);
    return Array.from({ length: steps }, (_, step) => at(y0, y1, step + 1) * columns + at(x0, x1, step + 1));
  }

  release(event) {
    const { drag } = this;
    this.drag = null;
    this.aim(null);
    if (!drag) return;
    if (drag.tool === "swap") {
      const place = this.placeAt(event);
      if (drag.hasMoved && place !== drag.place) {
        if (place !== null) this.fool.swap(drag.place, place);
      } else this.enter(drag.place);
    } else this.fool.rested();
  }

  abandon() {
    if (!this.drag) return;
    this.drag = null;
    this.aim(null);
    this.fool.rested();
  }

  /** Show which place a dragged patch would go to. */
  aim(place) {
    if (this.aimed != null) this.places[this.aimed]?.classList.remove("aimed");
    this.aimed = place;
    if (place !== null) this.places[place].classList.add("aimed");
    const from = place === null ? null : this.drag?.place;
    this.places.forEach((cell, at) => cell.classList.toggle("lifted", at === from));
  }

  /** What Enter and a plain click do. */
  enter(place) {
    if (!this.fool.mayPlay) return;
    if (this.fool.tool === "swap") {
      const { taken } = this;
      this.take(taken === null ? place : null);
      if (taken !== null && taken !== place) this.fool.swap(taken, place);
    } else if (this.fool.tool === "cover") {
      const isCovered = this.places[place].dataset.how === this.fool.way;
      this.fool.cover([place], isCovered ? null : this.fool.way, false);
      this.fool.rested();
    }
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && this.taken !== null) {
      event.preventDefault();
      this.take(null);
      return;
    }
    const step = FOOL_KEYS[event.key];
    if (this.fool.tool === "move" && step) {
      event.preventDefault();
      const far = event.shiftKey ? FOOL_FAR : 1;
      const [right, down] = this.fool.edits.move;
      this.fool.move(right + far * step[0], down + far * step[1], "key");
      this.fool.rested();
      return;
    }
    const to = neighbour(this.stop, event.key, { ...this.fool.data, prefix_names: [] });
    if (to === null) return;
    event.preventDefault();
    this.places[to].focus({ focusVisible: true });
  }

  rove(place) {
    if (!this.places[place]) return;
    this.places[this.stop].tabIndex = -1;
    this.stop = place;
    this.places[place].tabIndex = 0;
  }
}
