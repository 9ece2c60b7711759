// What several methods say of the same patches; a patch that is pointed at is read in all of them.

// whether maps are drawn smooth; kept while the page is open
const heatMapsLook = (globalThis[Symbol.for("vit-explainer.heat-maps")] ??= { smooth: false, views: new Set() });

export default function (mount) {
  return mounted(HeatMaps, mount);
}

class HeatMaps extends ChoosingView {
  axis = "patch";

  build() {
    const { data, root } = this;
    const { texts } = data;
    root.classList.add("heat-maps");
    this.looking = null;
    this.tiles = [];

    const bar = make("div", "bar-above", root);
    const looks = make("div", "looks", bar);
    looks.role = "group";
    looks.ariaLabel = texts.look_label;
    this.looks = [false, true].map((smooth) => {
      const button = make("button", "", looks, texts[smooth ? "smooth" : "patches"]);
      button.type = "button";
      button.addEventListener("click", () => this.setSmooth(smooth));
      return { button, smooth };
    });
    this.remark = make("p", "note", bar);
    this.announce = announcer(bar);

    const methods = make("div", "tiles", root);
    const first = make("figure", "tile picture-tile", methods);
    make("h3", "", first, texts.picture);
    this.grid = tokenGrid(first, data, {
      look: (patch, byKeyboard = false) => this.look(patch, byKeyboard),
      choose: (patch) => this.send(patch),
    });
    this.readout = make("p", "where number", first);
    make("p", "note", first, texts.point);
    for (const map of data.maps.filter((one) => !one.is_baseline)) this.tile(methods, map);
    const baselines = data.maps.filter((one) => one.is_baseline);
    if (!baselines.length) return;
    const apart = make("section", "baselines", root);
    make("h3", "apart", apart, texts.baselines);
    make("p", "note", apart, texts.baselines_text);
    const tiles = make("div", "tiles", apart);
    for (const map of baselines) this.tile(tiles, map);
  }

  tile(parent, map) {
    const { data } = this;
    const tile = make("figure", "tile", parent);
    make("h3", "", tile, map.title);
    const parts = { map };
    if (map.row >= 0) {
      const picture = make("div", "picture", tile);
      picture.style.aspectRatio = `${data.image_width} / ${data.image_height}`;
      picture.role = "img";
      parts.picture = picture;
      parts.base = make("canvas", "base", picture);
      parts.overlay = make("canvas", "overlay", picture);
      parts.mark = make("span", "mark", picture);
      picture.addEventListener("pointermove", (event) => this.look(this.patchAt(event, picture)));
      picture.addEventListener("pointerleave", () => this.look(null));
      picture.addEventListener("click", (event) => this.send(this.patchAt(event, picture)));
      parts.value = make("p", "value number", tile);
      const legend = make("div", "legend", tile);
      parts.least = make("span", "number", legend);
      parts.bar = make("span", "bar", legend);
      parts.most = make("span", "number", legend);
    } else {
      make("p", "absent", tile, map.absent);
    }
    make("p", "text", tile, map.text);
    if (map.facts.length) make("p", "facts", tile, map.facts.join(" · "));
    if (map.source) {
      const source = make("p", "source", tile);
      const link = make("a", "", source, map.source);
      Object.assign(link, { href: map.address, target: "_blank", rel: "noreferrer" });
    }
    this.tiles.push(parts);
  }

  show() {
    const { data } = this;
    this.page = marksOf(data.group);
    this.page.prefix = 0;
    paintPixels(this.grid.base, data);
    for (const tile of this.tiles) if (tile.base) this.paintTile(tile);
    this.showLook();
  }

  paintTile({ map, picture, base, overlay, bar, least, most }) {
    const { data } = this;
    paintPixels(base, data);
    const values = this.valuesOf(map);
    const stops = map.is_signed ? signedStops(this.root, data.colours) : data.colours.sequential;
    const [low, high] = this.limits(map);
    const veil = colourTable(stops, (share) => (map.is_signed ? 0.8 : 0.6 + 0.28 * share));
    const { context, picture: painted } = resize(overlay, data.columns, data.rows);
    const words = new Uint32Array(painted.data.buffer);
    for (let patch = 0; patch < words.length; patch++) {
      const level = Math.round((255 * (values[patch] - low)) / (high - low));
      words[patch] = veil[Math.min(Math.max(level, 0), 255)];
    }
    context.putImageData(painted, 0, 0);
    setText(least, written(low));
    setText(most, written(high));
    bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    const best = values.reduce((at, value, patch) => (value > values[at] ? patch : at), 0);
    picture.ariaLabel = fill(data.texts.alt, {
      title: map.title,
      patch: tokenName(data, best),
      value: written(values[best]),
      low: written(low),
      high: written(high),
    });
  }

  valuesOf({ row }) {
    const count = this.data.rows * this.data.columns;
    return this.data.arrays.values.subarray(row * count, (row + 1) * count);
  }

  /** The values at both ends of a map's scale; one scale for both halves of a comparison. */
  limits(map) {
    const [low, high] = map.limits;
    if (map.is_baseline) return [low, high];
    const most = this.limitOf(`map ${map.name}`, high) || 1;
    return map.is_signed ? [-most, most] : [low, most];
  }

  setSmooth(smooth) {
    heatMapsLook.smooth = smooth;
    for (const view of heatMapsLook.views) view.showLook();
  }

  showLook() {
    const { smooth } = heatMapsLook;
    for (const { button, smooth: own } of this.looks) button.ariaPressed = String(own === smooth);
    for (const { overlay } of this.tiles) overlay?.classList.toggle("pixelated", !smooth);
    setText(this.remark, this.data.texts[smooth ? "smooth_note" : "patches_note"]);
  }

  listen() {
    super.listen();
    heatMapsLook.views.add(this);
  }

  leave() {
    super.leave();
    heatMapsLook.views.delete(this);
  }

  patchAt(event, picture) {
    const { rows, columns } = this.data;
    const box = picture.getBoundingClientRect();
    const place = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    const row = place((event.clientY - box.top) / box.height, rows);
    return row * columns + place((event.clientX - box.left) / box.width, columns);
  }

  mark() {
    if (this.chosen === undefined) return;
    const { data } = this;
    const within = (patch) => (patch < this.grid.buttons.length ? patch : undefined);
    const active = this.looking ?? within(this.page.at(this.axis)) ?? this.chosen;
    this.grid.mark(active, this.chosen);
    setText(this.readout, tokenName(data, active));
    const row = Math.floor(active / data.columns);
    const size = (count) => `${100 / count}%`;
    for (const { map, mark, value } of this.tiles) {
      if (!mark) continue;
      Object.assign(mark.style, {
        left: `${(100 * (active % data.columns)) / data.columns}%`,
        top: `${(100 * row) / data.rows}%`,
        width: size(data.columns),
        height: size(data.rows),
      });
      setText(value, this.valueText(map, active));
    }
  }

  valueText(map, patch) {
    const values = this.valuesOf(map);
    let rank = 1;
    for (const value of values) if (value > values[patch]) rank++;
    return fill(this.data.texts.value, { value: written(values[patch]), rank, count: values.length });
  }

  sayChosen(patch) {
    return this.say(patch);
  }

  say(patch) {
    const lines = this.tiles
      .filter(({ mark }) => mark)
      .map(({ map }) => `${map.title} ${written(this.valuesOf(map)[patch])}`);
    return fill(this.data.texts.readout, { patch: tokenName(this.data, patch), values: lines.join(", ") });
  }
}
