// The picture, cut into its patches: each is a button that can be pointed at, chosen, covered and moved.

const STORY_SVG = "http://www.w3.org/2000/svg";

class PatchBoard {
  /**
   * ``point(patch | null, byKeyboard)`` hears what is pointed at, ``choose(patch)`` what is clicked; a board
   * without ``choose`` is a picture, to which a mouse can point.
   */
  constructor(parent, half, { label, point = null, choose = null } = {}) {
    Object.assign(this, { half, point, choose, marks: new Map(), stop: 0, pointed: null });
    const { rows, columns, image_width: width, image_height: height } = half.data;
    this.root = make("div", "board", parent);
    this.root.style.setProperty("--ratio", width / height);
    this.root.dataset.grid = `${rows} ${columns}`;
    this.cells = make("div", "patches", this.root);
    this.cells.style.gridTemplate = `repeat(${rows}, minmax(0, 1fr)) / repeat(${columns}, minmax(0, 1fr))`;
    const isLive = Boolean(choose);
    this.cells.role = isLive ? "group" : "img";
    this.cells.setAttribute("aria-label", label);
    this.patches = Array.from({ length: rows * columns }, (_, patch) => {
      const cell = make(isLive ? "button" : "span", "patch", this.cells);
      const [row, column] = [Math.floor(patch / columns), patch % columns];
      cell.style.backgroundPosition = `${percentOf(column, columns)} ${percentOf(row, rows)}`;
      if (isLive) {
        cell.type = "button";
        cell.tabIndex = patch ? -1 : 0;
      }
      return { cell, veil: make("i", "veil", cell) };
    });
    this.root.style.setProperty("--size", `${100 * columns}% ${100 * rows}%`);
    this.lines = document.createElementNS(STORY_SVG, "svg");
    this.lines.setAttribute("class", "lines");
    this.lines.setAttribute("viewBox", "0 0 100 100");
    this.lines.setAttribute("preserveAspectRatio", "none");
    this.lines.ariaHidden = "true";
    this.root.append(this.lines);
    this.setPicture();
    this.label();
    if (isLive || point) this.listen(isLive);
  }

  setPicture(address = this.half.pictureAddress) {
    this.root.style.setProperty("--picture", `url(${address})`);
    this.root.classList.toggle("pixelated", this.half.data.image_width <= 96);
  }

  listen(isLive) {
    const { cells } = this;
    const patchOf = (event) => {
      // a finger keeps the element that it touched first, so ask for the one under it now
      const under =
        event.pointerType === "touch"
          ? cells.getRootNode().elementFromPoint(event.clientX, event.clientY)
          : event.target;
      const at = this.patches.findIndex(({ cell }) => cell === under || cell === under?.parentNode);
      return at < 0 ? null : at;
    };
    const point = (event) => {
      const patch = patchOf(event);
      if (patch !== null) this.pointAt(patch);
    };
    cells.addEventListener("pointerover", point);
    cells.addEventListener("pointermove", (event) => event.pointerType === "touch" && point(event));
    cells.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && this.pointAt(null));
    if (!isLive) return;
    cells.addEventListener("focusin", (event) => {
      const patch = patchOf(event);
      if (patch === null) return;
      this.rove(patch);
      if (event.target.matches(":focus-visible")) this.pointAt(patch, true);
    });
    cells.addEventListener("focusout", (event) => {
      if (!cells.contains(event.relatedTarget)) this.pointAt(null);
    });
    cells.addEventListener("click", (event) => {
      const patch = patchOf(event);
      if (patch === null) return;
      this.rove(patch);
      this.choose?.(patch);
    });
    cells.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const to = neighbour(this.stop, event.key, { ...this.half.data, prefix_names: [] });
      if (to === null) return;
      event.preventDefault();
      this.rove(to);
      this.patches[to].cell.focus({ focusVisible: true });
    });
  }

  rove(patch) {
    this.patches[this.stop].cell.tabIndex = -1;
    this.stop = patch;
    this.patches[patch].cell.tabIndex = 0;
  }

  pointAt(patch, byKeyboard = false) {
    if (patch === this.pointed) return;
    this.pointed = patch;
    this.point?.(patch, byKeyboard);
  }

  /** Give one patch a mark (followed, guess, best, pointed), and take it from the patch that had it. */
  mark(name, patch) {
    const before = this.marks.get(name);
    if (before === patch) return;
    if (before != null) this.patches[before].cell.classList.remove(name);
    this.marks.set(name, patch);
    if (patch != null) {
      this.patches[patch].cell.classList.add(name);
      if (name === "followed" && !this.cells.contains(this.cells.getRootNode().activeElement)) this.rove(patch);
    }
    for (const one of [before, patch]) if (one != null) this.label(one);
  }

  label(only = null) {
    if (this.cells.role !== "group") return;
    const { frame } = this.half.data;
    const patches = only === null ? this.patches.keys() : [only];
    for (const patch of patches) {
      const words = [this.half.patchName(patch)];
      for (const name of ["followed", "guess", "best"]) {
        if (this.marks.get(name) === patch) words.push(frame[name]);
      }
      this.patches[patch].cell.setAttribute("aria-label", words.join(", "));
    }
  }

  /** Lay a colour over each patch: ``values`` from 0 to ``most`` (null takes all away). */
  veil(values, most = null) {
    const table = this.half.look.weights;
    const full = most ?? Math.max(...(values ?? [1]));
    this.patches.forEach(({ veil }, patch) => {
      if (!values) {
        veil.style.background = "none";
        return;
      }
      const share = Math.max(0, Math.min(1, full > 0 ? values[patch] / full : 0));
      veil.style.background = colourOf(table[Math.round(255 * share)], 0.62 + 0.26 * share);
    });
  }

  /** Lay the colour of a signed number over each patch; ``most`` has the full colour. */
  veilSigned(values, most) {
    this.patches.forEach(({ veil }, patch) => {
      const share = most > 0 ? values[patch] / most : 0;
      const level = Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * share)));
      veil.style.background = colourOf(this.half.look.signed[level], 0.85);
    });
  }

  /** Draw lines from one patch to others: [patch, weight] each, as thick as the weight is large. */
  connect(from, ends, thickest = 14) {
    const { rows, columns } = this.half.data;
    const middle = (patch) => [
      (100 * ((patch % columns) + 0.5)) / columns,
      (100 * (Math.floor(patch / columns) + 0.5)) / rows,
    ];
    this.lines.replaceChildren();
    if (from === null) return;
    const [x0, y0] = middle(from);
    for (const [patch, weight] of ends) {
      if (patch === from) continue;
      const [x1, y1] = middle(patch);
      const line = document.createElementNS(STORY_SVG, "path");
      const bend = 0.12;
      const [xm, ym] = [(x0 + x1) / 2 + bend * (y1 - y0), (y0 + y1) / 2 - bend * (x1 - x0)];
      line.setAttribute("d", `M${x0} ${y0}Q${xm} ${ym} ${x1} ${y1}`);
      line.setAttribute("pathLength", "1");
      line.style.strokeWidth = `${Math.max(1.5, thickest * weight)}px`;
      this.lines.append(line);
    }
  }

  /** Number some patches, so that a key can choose them where the story is presented. */
  number(patches) {
    this.patches.forEach(({ cell }, patch) => {
      const at = patches.indexOf(patch);
      if (at < 0) delete cell.dataset.choice;
      else cell.dataset.choice = at + 1;
    });
  }

  /** Show patch ``order[place]`` at each place; null puts them back. */
  arrange(order) {
    const { columns } = this.half.data;
    const places = new Map(order?.map((patch, place) => [patch, place]));
    this.patches.forEach(({ cell }, patch) => {
      const place = places.get(patch) ?? patch;
      const across = (place % columns) - (patch % columns);
      const down = Math.floor(place / columns) - Math.floor(patch / columns);
      cell.style.setProperty("--across", across);
      cell.style.setProperty("--down", down);
    });
  }

  /** Let some patches fall away; the others come back. */
  remove(gone) {
    this.patches.forEach(({ cell }, patch) => cell.classList.toggle("gone", gone.has(patch)));
  }

  cover(covered) {
    this.patches.forEach(({ cell }, patch) => {
      cell.classList.toggle("covered", covered.has(patch));
      cell.setAttribute("aria-pressed", covered.has(patch));
    });
  }
}

function percentOf(index, count) {
  return count > 1 ? `${(100 * index) / (count - 1)}%` : "0";
}

/** A colour of a table as CSS. */
function colourOf(word, alpha = 1) {
  return `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255} / ${alpha})`;
}
