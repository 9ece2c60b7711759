// The cosine of one patch to all others, after any block: in its picture, before training, in another picture.

const BEST = 3; // patches that are framed
const LATE = 3000; // milliseconds that a choice may take to Python and back

export default function (mount) {
  return mounted(Alike, mount);
}

class Alike extends View {
  build() {
    const { data } = this;
    const { texts } = data;
    this.looking = null;
    const root = make("div", "alike", this.root);
    const controls = make("div", "controls", root);
    if (data.stages > 1) {
      const label = make("label", "stage", controls);
      make("span", "", label, texts.stage_label);
      this.slider = make("input", "", label);
      this.slider.type = "range";
      this.slider.min = 0;
      this.slider.max = data.stages - 1;
      this.slider.step = 1;
      this.stageName = make("output", "", label);
      this.slider.addEventListener("input", () => this.showStage(Number(this.slider.value)));
      this.slider.addEventListener("change", () => this.send(this.patch));
    }
    const stretch = make("label", "", controls);
    this.stretch = make("input", "", stretch);
    this.stretch.type = "checkbox";
    this.stretch.checked = data.stretched;
    make("span", "", stretch, texts.stretch);
    this.stretch.addEventListener("change", () => this.paint());
    const row = make("div", "row", root);
    this.panels = data.panels.map((panel) => this.buildPanel(row, panel));
    this.announce = announcer(root);
  }

  buildPanel(parent, { name, title, picture }) {
    const { data } = this;
    const element = make("div", "panel", parent);
    make("h3", "", element, title);
    const look = (patch, byKeyboard = false) => this.look(patch, byKeyboard);
    const panel = { name, picture };
    if (picture === "image") {
      const texts = { ...data.texts, grid_label: fill(data.texts.grid_label, { title }) };
      panel.grid = tokenGrid(element, { ...data, texts }, { look, choose: (patch) => this.send(patch) });
      panel.base = panel.grid.base;
      panel.overlay = panel.grid.overlay;
      panel.area = element.querySelector(".picture");
    } else {
      const still = make("div", "still", element);
      panel.area = make("div", "picture", still);
      panel.area.style.aspectRatio = `${data.image_width} / ${data.image_height}`;
      panel.base = make("canvas", "base", panel.area);
      panel.overlay = make("canvas", "overlay pixelated", panel.area);
      panel.area.role = "img";
      panel.area.addEventListener("pointermove", (event) => this.readAt(panel, event));
      panel.area.addEventListener("pointerleave", () => this.read(panel, null));
    }
    panel.marks = make("div", "marks", panel.area);
    const legend = make("div", "legend", element);
    panel.least = make("span", "number", legend);
    panel.bar = make("span", "bar", legend);
    panel.most = make("span", "number", legend);
    panel.readout = make("p", "readout number", element);
    panel.best = make("p", "best", element);
    return panel;
  }

  show() {
    const { data } = this;
    this.page = marksOf(data.group);
    this.page.prefix = 0; // as for all that shows patches alone
    this.chosen = data.arrays.chosen[0];
    this.patch = this.chosen;
    for (const panel of this.panels) {
      paintPixels(panel.base, { ...data, arrays: { image: data.arrays[panel.picture] } });
    }
    this.stage ??= data.stages - 1;
    this.showStage(this.stage);
  }

  choose({ query, stage }) {
    if (query === this.chosen) this.patch = query;
    // a run that answers an earlier choice does not take back a later one
    const isLate = this.sent && this.sent.stage !== stage && performance.now() - this.sent.at < LATE;
    if (!isLate && stage !== this.stage) this.showStage(stage);
    if (!isLate) this.sent = null;
    this.page.keep(this, { patch: query });
    this.mark();
  }

  /** Show a choice at once and hand it to Python, which sends the cosines of another patch. */
  send(patch) {
    this.looking = null;
    this.page.point(this, null);
    this.patch = patch;
    this.sent = { stage: this.stage, at: performance.now() };
    this.mark();
    this.announce(fill(this.data.texts.chosen, { patch: tokenName(this.data, patch) }));
    // the time makes choosing the same patch again a change
    this.setStateValue("choice", { query: patch, stage: this.stage, at: performance.now() });
  }

  showStage(stage) {
    const { data } = this;
    this.stage = Math.min(Math.max(stage, 0), data.stages - 1);
    if (this.slider) {
      const name = this.stage ? fill(data.texts.stage, { block: this.stage }) : data.texts.before;
      this.slider.value = this.stage;
      this.slider.setAttribute("aria-valuetext", name);
      setText(this.stageName, name);
    }
    this.paint();
  }

  /** The cosines of a panel at the stage that is shown. */
  valuesOf(panel) {
    const size = this.data.rows * this.data.columns;
    return this.data.arrays[panel.name].subarray(this.stage * size, (this.stage + 1) * size);
  }

  paint() {
    const { data } = this;
    const isStretched = this.stretch.checked;
    const stops = isStretched ? data.colours.sequential : signedStops(this.root, data.colours);
    const veil = colourTable(stops, (share) => (isStretched ? 0.6 + 0.28 * share : 0.8));
    for (const panel of this.panels) {
      const values = this.valuesOf(panel);
      const others = [...values].filter((_, patch) => panel.picture !== "image" || patch !== this.chosen);
      const [low, high] = isStretched && others.length ? [Math.min(...others), Math.max(...others)] : [-1, 1];
      const { context, picture } = resize(panel.overlay, data.columns, data.rows);
      const words = new Uint32Array(picture.data.buffer);
      for (let patch = 0; patch < words.length; patch++) {
        const share = (values[patch] - low) / (high - low || 1);
        words[patch] = veil[Math.round(255 * Math.min(Math.max(share, 0), 1))];
      }
      context.putImageData(picture, 0, 0);
      setText(panel.least, writtenBriefly(low));
      setText(panel.most, writtenBriefly(high));
      panel.bar.style.setProperty("--scale", `linear-gradient(90deg, ${stops.join(", ")})`);
      this.frame(panel, values);
    }
    this.mark();
  }

  /** Frame the patches that are most similar, and name them below. */
  frame(panel, values) {
    const { data } = this;
    const best = [...values.keys()]
      .filter((patch) => panel.picture !== "image" || patch !== this.chosen)
      .sort((a, b) => values[b] - values[a])
      .slice(0, BEST);
    panel.marks.replaceChildren(
      ...best.map((patch, place) => {
        const mark = make("i", place ? "" : "first");
        const row = Math.floor(patch / data.columns);
        mark.style.cssText =
          `left:${(100 * (patch % data.columns)) / data.columns}%;top:${(100 * row) / data.rows}%;` +
          `width:${100 / data.columns}%;height:${100 / data.rows}%`;
        return mark;
      }),
    );
    const named = best.map((patch) => this.say(panel, patch)).join(" · ");
    setText(panel.best, best.length ? fill(data.texts.best, { patches: named }) : data.texts.single);
    if (!panel.grid) panel.area.setAttribute("aria-label", fill(data.texts.best, { patches: named }));
  }

  look(patch, byKeyboard) {
    if (patch === this.looking) return;
    this.looking = patch;
    this.page.point(this, patch === null ? null : { patch });
    if (byKeyboard) this.announce(this.say(this.panels[0], patch));
  }

  readAt(panel, event) {
    const box = panel.area.getBoundingClientRect();
    const within = (at, size, count) => Math.min(Math.max(Math.floor((at / size) * count), 0), count - 1);
    const row = within(event.clientY - box.top, box.height, this.data.rows);
    const column = within(event.clientX - box.left, box.width, this.data.columns);
    this.read(panel, row * this.data.columns + column);
  }

  read(panel, patch) {
    setText(panel.readout, patch === null ? "" : this.say(panel, patch));
  }

  mark() {
    if (this.patch === undefined) return;
    const count = this.data.rows * this.data.columns;
    // what another picture has chosen may be out of date while that is out of sight
    const isPointed = this.page.owner || this.page.across("query") !== undefined;
    const pointed = isPointed ? this.page.at("patch") : undefined;
    const active = this.looking ?? (pointed < count ? pointed : undefined) ?? this.patch;
    for (const panel of this.panels) {
      if (!panel.grid) continue;
      panel.grid.mark(active, this.patch);
      this.read(panel, active);
    }
  }

  say(panel, patch) {
    const value = writtenBriefly(this.valuesOf(panel)[patch]);
    return fill(this.data.texts.readout, { patch: tokenName(this.data, patch), value });
  }
}
