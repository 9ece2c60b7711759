// Patches go, or come back, in the order of the chosen map, while the bars of all maps fall or rise.

export default function (mount) {
  return mounted(DeletionFilm, mount);
}

class DeletionFilm {
  constructor(root) {
    this.root = root;
    root.classList.add("film", "deletion-film");
    this.gives = false; // whether patches come back, instead of going
    this.method = 0;
    this.listener = (choice) => this.choose(choice);
  }

  update(data) {
    const shape = JSON.stringify({ ...data, arrays: undefined, colours: undefined });
    this.data = data;
    this.method = Math.min(this.method, data.titles.length - 1);
    setMarks(this.root, data.colours);
    if (shape !== this.shape) this.build();
    this.shape = shape;
    const channel = channelOf(data.channel);
    if (channel !== this.channel) this.channel?.listeners.delete(this.listener);
    this.channel = channel;
    channel.listeners.add(this.listener);
    if (channel.choice) this.choose(channel.choice);
    this.player.set(data.texts, data.counts.length, data.step);
  }

  build() {
    const { data, root } = this;
    const { texts } = data;
    root.replaceChildren();
    const top = make("div", "race", root);
    const left = make("div", "left", top);
    const ways = make("div", "looks", left);
    ways.role = "group";
    ways.ariaLabel = texts.ways;
    this.ways = [false, true].map((gives) => {
      const button = make("button", "", ways, texts[gives ? "gives" : "takes"]);
      button.type = "button";
      button.addEventListener("click", () => this.turn(gives));
      return { button, gives };
    });
    this.picture = make("div", "picture", left);
    this.picture.role = "img";
    this.picture.style.aspectRatio = `${data.image_width} / ${data.image_height}`;
    this.base = make("canvas", "base", this.picture);
    this.over = make("canvas", "over", this.picture);
    this.caption = make("p", "number caption", left);

    const right = make("div", "right", top);
    make("h3", "", right, texts.bars);
    const rows = make("div", "rows", right);
    rows.role = "group";
    rows.ariaLabel = texts.bars_label;
    this.rows = data.titles.map((title, index) => {
      const row = make("button", data.baselines[index] ? "row baseline" : "row", rows);
      row.type = "button";
      make("span", "name", row, title);
      const track = make("span", "track", row);
      const bar = make("span", "fill", track);
      const value = make("span", "number", row);
      row.addEventListener("click", () => this.send(index));
      return { row, bar, value };
    });
    make("p", "note", right, texts.note);

    const bar = make("div", "bar-below", root);
    const { at, speed, loops } = this.player ?? {};
    this.player?.leave();
    this.player = new FilmPlayer(bar, this);
    this.player.speed = 2; // there are many short steps
    if (at !== undefined) Object.assign(this.player, { at: Math.round(at), speed, loops });
    this.announce = announcer(root);
    paintPixels(this.base, data);
  }

  turn(gives) {
    this.gives = gives;
    this.player.show();
  }

  choose({ method }) {
    if (method === undefined) return;
    this.method = Math.min(Math.max(method, 0), this.data.titles.length - 1);
    if (this.player.texts) this.player.show();
  }

  /** Show another method's order at once, and tell Python. */
  send(method) {
    this.channel.set({ ...this.channel.choice, method });
    this.announce(this.describe(this.player.stop));
    this.setStateValue("choice", { method, at: performance.now() });
  }

  heights() {
    const { arrays } = this.data;
    return this.gives ? arrays.insertion : arrays.deletion;
  }

  /** The height of a bar; between two stops on the way from one to the next. */
  height(method, at) {
    const { length } = this.data.counts;
    const stop = Math.min(Math.floor(at), length - 1);
    const next = Math.min(stop + 1, length - 1);
    const [from, to] = [stop, next].map((one) => this.heights()[method * length + one]);
    return from + (to - from) * (at - stop);
  }

  text(value) {
    return this.data.is_share ? percent(value) : written(value);
  }

  describe(stop) {
    const { counts, texts, titles, rows, columns } = this.data;
    return fill(texts[this.gives ? "back" : "gone"], {
      title: titles[this.method],
      count: counts[stop],
      all: rows * columns,
      value: this.text(this.height(this.method, stop)),
    });
  }

  paint(at) {
    const { data } = this;
    const isStop = Number.isInteger(at);
    this.paintPatches(at);
    this.rows.forEach(({ row, bar, value }, method) => {
      const height = this.height(method, at);
      bar.style.width = `${100 * Math.min(Math.max(height, 0), 1)}%`;
      setText(value, this.text(height));
      row.ariaPressed = String(method === this.method);
    });
    for (const { button, gives } of this.ways) button.ariaPressed = String(gives === this.gives);
    const said = this.describe(Math.round(at));
    setText(this.caption, said);
    if (isStop) this.picture.ariaLabel = said;
    this.root.dataset.stop = isStop ? at : "";
    this.root.dataset.method = data.titles[this.method];
  }

  /** Cover what is gone: hatched where tokens are left out, else in the colour that the model gets. */
  paintPatches(at) {
    const { data } = this;
    const { rows, columns, counts, fill: filling, mean } = data;
    const count = rows * columns;
    const order = data.arrays.orders.subarray(this.method * count, (this.method + 1) * count);
    const stop = Math.floor(at);
    const [now, next] = [counts[stop], counts[Math.min(stop + 1, counts.length - 1)]];
    const side = Math.max(8, Math.floor(336 / Math.max(rows, columns)));
    const { context } = resize(this.over, columns * side, rows * side);
    context.clearRect(0, 0, columns * side, rows * side);
    const style = getComputedStyle(this.root);
    const paper = style.getPropertyValue("--st-background-color").trim() || "#fff";
    const ink = style.getPropertyValue("--st-text-color").trim() || "#888";
    for (let index = 0; index < count; index++) {
      const gone = index < now ? 1 : index < next ? at - stop : 0;
      const opacity = this.gives ? 1 - gone : gone;
      if (!opacity) continue;
      const x = (order[index] % columns) * side;
      const y = Math.floor(order[index] / columns) * side;
      context.globalAlpha = opacity;
      context.fillStyle = filling === "drop" ? paper : filling === "black" ? "#000" : `rgb(${mean.join(" ")})`;
      context.fillRect(x, y, side, side);
      if (filling !== "drop") continue;
      context.globalAlpha = 0.3 * opacity;
      context.strokeStyle = ink;
      context.beginPath();
      context.moveTo(x + 1, y + side - 1);
      context.lineTo(x + side - 1, y + 1);
      context.stroke();
      context.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
    }
    context.globalAlpha = 1;
  }

  /** Stop all that goes on by itself; ``update`` takes it up again. */
  leave() {
    this.player.leave();
    this.channel.listeners.delete(this.listener);
  }
}
