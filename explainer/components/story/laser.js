// The laser pointer of present mode: while the mouse is held, a red dot with a short trail. The patch
// under it is marked in all pictures of the screen.

const LASER_HOLD = 220; // milliseconds after which a pressed mouse is no click any more
const LASER_FAR = 8; // pixels after which it is none either
const LASER_TRAIL = 260; // milliseconds
const NO_LASER = ".pad, input, .row-box, select"; // where a held mouse means something else

class Laser {
  constructor(present) {
    this.present = present;
    this.points = [];
    this.marked = [];
    this.handlers = {
      pointerdown: (event) => this.begin(event),
      pointermove: (event) => this.move(event),
      pointerup: (event) => this.finish(event),
      pointercancel: (event) => this.finish(event),
      dragstart: (event) => this.present.isOn && event.preventDefault(),
    };
    this.onClick = (event) => {
      event.preventDefault();
      event.stopPropagation();
    };
  }

  listen() {
    for (const [kind, act] of Object.entries(this.handlers)) document.addEventListener(kind, act, true);
  }

  leave() {
    for (const [kind, act] of Object.entries(this.handlers)) document.removeEventListener(kind, act, true);
    this.stop();
  }

  begin(event) {
    if (!this.present.isOn || event.button || !event.isPrimary) return;
    const path = event.composedPath();
    const stage = path.find((one) => one.matches?.(".stage"));
    if (!stage || !path.includes(this.present.root) || path[0].closest(NO_LASER)) return;
    this.start = [event.clientX, event.clientY];
    this.timer = setTimeout(() => this.light(this.start), LASER_HOLD);
  }

  move(event) {
    if (!this.start) return;
    const at = [event.clientX, event.clientY];
    if (this.canvas) this.point(at);
    else if (Math.hypot(at[0] - this.start[0], at[1] - this.start[1]) > LASER_FAR) this.light(at);
    else this.start.splice(0, 2, ...at);
  }

  finish() {
    if (!this.start) return;
    if (this.canvas) {
      // what the mouse was let go over was pointed at, not chosen
      document.addEventListener("click", this.onClick, true);
      setTimeout(() => document.removeEventListener("click", this.onClick, true));
    }
    this.stop();
  }

  light(at) {
    clearTimeout(this.timer);
    this.canvas = make("canvas", "laser", this.present.root);
    this.canvas.ariaHidden = "true";
    this.isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.point(at);
  }

  point(at) {
    this.points.push([...at, performance.now()]);
    this.mark(at);
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    if (!this.canvas) return;
    const now = performance.now();
    const last = this.points.at(-1);
    this.points = this.points.filter((point) => point === last || (!this.isStill && now - point[2] < LASER_TRAIL));
    const context = sharpen(this.canvas, innerWidth, innerHeight);
    context.clearRect(0, 0, innerWidth, innerHeight);
    const size = Math.max(7, Math.min(innerWidth, innerHeight) / 90);
    context.lineCap = "round";
    this.points.forEach(([x, y, time], at) => {
      if (!at) return;
      context.strokeStyle = `rgb(255 30 40 / ${0.6 * (1 - (now - time) / LASER_TRAIL)})`;
      context.lineWidth = 1.4 * size;
      context.beginPath();
      context.moveTo(...this.points[at - 1].slice(0, 2));
      context.lineTo(x, y);
      context.stroke();
    });
    context.fillStyle = "#ff1e28";
    context.strokeStyle = "#ffffff"; // also to be seen on red
    context.lineWidth = 2;
    context.beginPath();
    context.arc(last[0], last[1], size, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    if (this.points.length > 1) this.frame = requestAnimationFrame(() => this.draw());
  }

  // the same token everywhere

  /** Mark the patch under a point in each picture of the screen. */
  mark([x, y]) {
    this.unmark();
    const pictures = [...this.present.root.querySelectorAll("[data-grid]")];
    const picture = pictures.find((one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect();
      return x >= left && x < right && y >= top && y < bottom;
    });
    const place = picture && placeUnder(picture, x, y);
    if (!place) return;
    for (const one of pictures) this.marked.push(markPlace(one, place));
  }

  unmark() {
    for (const one of this.marked.splice(0)) {
      if (one.matches(".patch")) one.classList.remove("lasered");
      else one.remove();
    }
  }

  stop() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.frame = this.start = null;
    this.points.length = 0;
    this.canvas?.remove();
    this.canvas = null;
    this.unmark();
  }
}

/** Rows and columns of a picture's patches. */
function gridOf(picture) {
  return picture.dataset.grid.split(" ").map(Number);
}

/** Which patch of a picture is at a point, as shares of its height and width. */
function placeUnder(picture, x, y) {
  const [rows, columns] = gridOf(picture);
  const box = picture.getBoundingClientRect();
  const within = (at, size, count) => Math.max(0, Math.min(count - 1, Math.floor((at / size) * count)));
  let patch = within(y - box.top, box.height, rows) * columns + within(x - box.left, box.width, columns);
  // in a column, one patch lies under another
  if (picture.matches(".others")) patch = within(y - box.top, box.height, rows * columns);
  // patches may have been moved
  const cells = [...picture.querySelectorAll(".patch")];
  const under = cells.findIndex((cell) => {
    const { left, right, top, bottom } = cell.getBoundingClientRect();
    return x >= left && x < right && y >= top && y < bottom;
  });
  if (under >= 0) patch = under;
  return [(Math.floor(patch / columns) + 0.5) / rows, ((patch % columns) + 0.5) / columns];
}

/** Mark the patch of a picture at a place; another model may cut it into other patches. */
function markPlace(picture, [down, across]) {
  const [rows, columns] = gridOf(picture);
  const patch = Math.floor(down * rows) * columns + Math.floor(across * columns);
  const cell = picture.querySelectorAll(".patch")[patch];
  if (cell) {
    cell.classList.add("lasered");
    return cell;
  }
  const mark = make("i", "lasered", picture);
  const isColumn = picture.matches(".others");
  const [high, wide] = isColumn ? [rows * columns, 1] : [rows, columns];
  const [row, column] = isColumn ? [patch, 0] : [Math.floor(patch / columns), patch % columns];
  Object.assign(mark.style, {
    top: `${(100 * row) / high}%`,
    left: `${(100 * column) / wide}%`,
    height: `${100 / high}%`,
    width: `${100 / wide}%`,
  });
  mark.dataset.patch = patch;
  return mark;
}
