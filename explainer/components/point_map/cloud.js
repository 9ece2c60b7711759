// A square canvas of points from -1 to 1: sharp at any size, reached by pointer and by arrow keys.

const CLOUD_MARGIN = 0.07; // of the side, on each side
const CLOUD_REACH = 16; // pixels from a point at which it is pointed at

class Cloud {
  /** ``owner`` has ``paint(context, cloud)``, ``point(index, byKeyboard)`` and ``take(index)``. */
  constructor(parent, owner) {
    this.owner = owner;
    this.places = new Float32Array(0); // right and up of each point
    this.at = null; // the point that is pointed at
    this.box = make("div", "cloud", parent);
    Object.assign(this.box, { tabIndex: 0, role: "group" });
    this.canvas = make("canvas", "", this.box);
    this.canvas.setAttribute("aria-hidden", "true");
    this.side = 0;
    this.resizing = new ResizeObserver(() => this.fit());
    const move = (event) => this.point(this.nearest(event));
    this.box.addEventListener("pointermove", move);
    this.box.addEventListener("pointerdown", move);
    this.box.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && this.point(null));
    this.box.addEventListener("click", (event) => {
      // by touch the first tap points and the second one takes
      const index = this.nearest(event);
      const isMeant = event.pointerType !== "touch" || index === this.touched;
      this.touched = index;
      if (index !== null && isMeant) this.owner.take(index);
    });
    this.box.addEventListener("blur", () => this.point(null));
    this.box.addEventListener("keydown", (event) => this.press(event));
  }

  watch() {
    this.resizing.observe(this.box);
    this.fit();
  }

  leave() {
    this.resizing.disconnect();
  }

  fit() {
    const side = this.box.clientWidth;
    const sharp = devicePixelRatio || 1;
    if (!side || (side === this.side && sharp === this.sharp)) return;
    Object.assign(this, { side, sharp });
    this.canvas.width = this.canvas.height = Math.round(side * sharp);
    this.owner.refit?.();
    this.paint();
  }

  paint() {
    if (!this.side) return;
    const context = this.canvas.getContext("2d");
    context.setTransform(this.sharp, 0, 0, this.sharp, 0, 0);
    context.clearRect(0, 0, this.side, this.side);
    this.owner.paint(context, this);
  }

  /** Where a place is on the canvas, in pixels. */
  x(right) {
    return this.side * (0.5 + (0.5 - CLOUD_MARGIN) * right);
  }

  y(up) {
    return this.side * (0.5 - (0.5 - CLOUD_MARGIN) * up);
  }

  nearest(event) {
    const box = this.box.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let [found, least] = [null, CLOUD_REACH ** 2];
    for (let index = 0; 2 * index < this.places.length; index++) {
      if (this.owner.isHidden?.(index)) continue;
      const distance = (this.x(this.places[2 * index]) - left) ** 2 + (this.y(this.places[2 * index + 1]) - top) ** 2;
      if (distance < least) [found, least] = [index, distance];
    }
    return found;
  }

  point(index, byKeyboard = false) {
    if (index === this.at && !byKeyboard) return;
    this.at = index;
    this.box.classList.toggle("pointing", index !== null);
    this.owner.point(index, byKeyboard);
    this.paint();
  }

  press(event) {
    if (event.target !== this.box || hasModifier(event)) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (way) this.point(this.next(way), true);
    else if ((event.key === "Enter" || event.key === " ") && this.at !== null) this.owner.take(this.at);
    else if (event.key === "Escape" && this.at !== null) this.point(null, true);
    else return;
    event.preventDefault();
  }

  /** The nearest point in a direction; the one nearest to the middle if none is pointed at yet. */
  next([right, up]) {
    const { places, at } = this;
    const [fromX, fromY] = at === null ? [0, 0] : [places[2 * at], places[2 * at + 1]];
    let [found, least] = [at, Infinity];
    for (let index = 0; 2 * index < places.length; index++) {
      if (index === at || this.owner.isHidden?.(index)) continue;
      const [x, y] = [places[2 * index] - fromX, places[2 * index + 1] - fromY];
      const along = x * right + y * up;
      const aside = Math.abs(x * up) + Math.abs(y * right);
      if (at !== null && (along <= 1e-6 || aside > 2 * along)) continue;
      const cost = at === null ? x * x + y * y : along + 2 * aside;
      if (cost < least) [found, least] = [index, cost];
    }
    return found;
  }
}
