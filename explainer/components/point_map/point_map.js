// Many pictures as points that move from block to block and from epoch to epoch.
//
// Everything is painted here from data sent once; the server hears which picture is clicked.

const MAP_MOVE = 700; // milliseconds from one stop to the next
const MAP_DOT = 3; // pixels, of a wide canvas
const MAP_NARROW = 420; // pixels of the side, below which dots are smaller
const MAP_TILE = 36; // pixels of a picture where there are few

export default function (mount) {
  return mounted(PointMap, mount);
}

class PointMap {
  constructor(root) {
    this.root = root;
    root.classList.add("map");
    this.listener = (choice) => this.choose(choice);
    this.follower = (message) => this.hear(message);
    this.frame = (now) => this.tick(now);
    this.only = null; // the class that alone has its colour
  }

  update(data) {
    const shape = JSON.stringify({ ...data, arrays: undefined, colours: undefined });
    this.data = data;
    setMarks(this.root, data.colours);
    const [stage, epoch] = [this.stage ?? data.stage, this.stops?.[this.epoch]];
    if (shape !== this.shape) {
      this.stops = data.epochs;
      this.stage = Math.min(stage, data.stages.length - 1);
      // new epochs came in: the one that was looked at is somewhere among them
      const before = data.epochs.indexOf(epoch);
      this.epoch = before >= 0 ? before : data.shown;
      this.build();
    }
    this.shape = shape;
    this.isDark = isDark(this.root);
    this.makeSprites();
    this.channel = channelOf(data.channel);
    this.channel.listeners.add(this.listener);
    this.together?.listeners.delete(this.follower);
    this.together = data.step ? channelOf(data.step) : null;
    this.together?.listeners.add(this.follower);
    this.cloud.watch();
    this.jump();
    if (this.channel.choice) this.choose(this.channel.choice);
  }

  leave() {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    for (const walk of this.walks) walk.stop();
    this.cloud.leave();
    this.channel.listeners.delete(this.listener);
    this.together?.listeners.delete(this.follower);
  }

  build() {
    const { data, root } = this;
    const { texts } = data;
    this.walks?.forEach((walk) => walk.stop());
    this.cloud?.leave();
    root.replaceChildren();
    this.only = null;
    this.count = data.arrays.labels.length;
    const bars = make("div", "bars", root);
    const names = { play: texts.play, pause: texts.pause };
    this.walks = [
      new Walk(
        bars,
        { ...names, name: texts.stage_slider, stops: data.stages.length },
        { at: this.stage, describe: (stop) => data.stages[stop], go: (stop) => this.step(stop) },
      ),
    ];
    if (data.epochs.length > 1) {
      this.walks.push(
        new Walk(
          bars,
          { ...names, name: texts.epoch_slider, stops: data.epochs.length },
          { at: this.epoch, describe: (stop) => data.epochs[stop], go: (stop) => this.go({ epoch: stop }) },
        ),
      );
    }
    const top = make("div", "top", root);
    this.cloud = new Cloud(top, this);
    const side = make("div", "side", top);
    this.title = make("p", "stop", side);
    this.told = [0, 1].map(() => make("p", "told", side));
    const pointed = make("div", "pointed", side);
    this.thumbnail = make("canvas", "pixelated", pointed);
    this.thumbnail.setAttribute("aria-hidden", "true");
    this.pointed = make("p", "", pointed);
    this.buildClasses(side);
    make("p", "note", side, texts.legend);
    this.announce = announcer(root);
    this.pictures = new Map();
  }

  buildClasses(side) {
    const { classes, texts } = this.data;
    this.buttons = [];
    if (!classes.length) return;
    const list = make("ul", "classes", side);
    list.setAttribute("aria-label", texts.classes);
    for (const [place, { name, index }] of classes.entries()) {
      const button = make("button", "", make("li", "", list));
      button.type = "button";
      const dot = make("i", "", button);
      make("span", "", button, name);
      button.addEventListener("click", () => {
        this.only = this.only === index ? null : index;
        this.showClasses();
        this.cloud.paint();
      });
      this.buttons.push({ button, dot, index, place });
    }
  }

  showClasses() {
    for (const { button, dot, index } of this.buttons) {
      button.setAttribute("aria-pressed", String(this.only === index));
      dot.style.setProperty("--shade", this.shadeOf(index));
    }
  }

  shadeOf(label) {
    if (label < 0) return this.data.quiet[Number(this.isDark)];
    const { palette } = this.data;
    return palette[label % palette.length][Number(this.isDark)];
  }

  /** A dot and a cross in the colour of each class, drawn once. */
  makeSprites() {
    this.sprites = new Map();
    this.showClasses();
  }

  sprite(label, isWrong) {
    const key = `${label} ${isWrong}`;
    if (this.sprites.has(key)) return this.sprites.get(key);
    const { sharp, side } = this.cloud;
    const dot = side < MAP_NARROW ? MAP_DOT - 0.75 : MAP_DOT;
    const half = isWrong ? 2 * dot : dot + 1;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.ceil(2 * half * sharp);
    const context = canvas.getContext("2d");
    context.scale(sharp, sharp);
    context.translate(half, half);
    context.lineWidth = isWrong ? 4 : 0.75;
    const edge = this.colour("--st-secondary-background-color");
    if (isWrong) {
      const arm = half - 2;
      context.lineCap = "round";
      for (const [colour, width] of [[edge, 4.5], [this.shadeOf(label), 2.25]]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: width });
        context.beginPath();
        context.moveTo(-arm, -arm);
        context.lineTo(arm, arm);
        context.moveTo(arm, -arm);
        context.lineTo(-arm, arm);
        context.stroke();
      }
    } else {
      Object.assign(context, { fillStyle: this.shadeOf(label), strokeStyle: edge });
      context.beginPath();
      context.arc(0, 0, dot, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
    this.sprites.set(key, { canvas, half });
    return this.sprites.get(key);
  }

  refit() {
    this.sprites = new Map();
  }

  colour(name) {
    return getComputedStyle(this.root).getPropertyValue(name).trim() || "#888888";
  }

  // what is chosen and where it is

  get at() {
    return this.epoch * this.data.stages.length + this.stage;
  }

  get goal() {
    const length = 2 * this.count;
    return this.data.arrays.points.subarray(this.at * length, (this.at + 1) * length);
  }

  /** Where the picture in hand goes; near the edge if it lies outside. */
  get ownGoal() {
    if (!this.own) return null;
    return [0, 1].map((axis) => Math.max(-1.1, Math.min(1.1, this.own[2 * this.stage + axis])));
  }

  isWrong(index) {
    const { labels, predicted } = this.data.arrays;
    const answer = predicted[this.epoch * this.count + index];
    return answer >= 0 && labels[index] >= 0 && answer !== labels[index];
  }

  /** Go to another stage, and the map of the other half of a comparison with this one. */
  step(stage) {
    this.go({ stage });
    const last = Math.max(1, this.data.stages.length - 1);
    this.together?.set({ by: this, share: stage / last });
  }

  /** Follow the map of the other half. */
  hear({ by, share }) {
    if (by === this) return;
    const stage = Math.round(share * (this.data.stages.length - 1));
    if (stage === this.stage) return;
    this.walks[0].follow(stage);
    this.go({ stage });
  }

  /** Show another stop; the points move to it. */
  go(change) {
    Object.assign(this, change);
    this.write();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.jump();
      return;
    }
    this.from = this.cloud.places.slice();
    this.ownFrom = this.ownNow;
    this.start = null;
    this.waiting ||= requestAnimationFrame(this.frame);
  }

  jump() {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    this.cloud.places = this.goal.slice();
    this.ownNow = this.ownGoal;
    this.write();
    this.cloud.paint();
  }

  tick(now) {
    this.waiting = 0;
    this.start ??= now;
    const share = Math.min(1, (now - this.start) / MAP_MOVE);
    const part = share < 0.5 ? 2 * share * share : 1 - 2 * (1 - share) ** 2;
    const { goal, from } = this;
    const { places } = this.cloud;
    for (let index = 0; index < places.length; index++) {
      places[index] = from[index] + part * (goal[index] - from[index]);
    }
    const { ownFrom, ownGoal } = this;
    this.ownNow = ownFrom && ownGoal ? ownGoal.map((value, axis) => ownFrom[axis] + part * (value - ownFrom[axis])) : ownGoal;
    this.cloud.paint();
    if (share < 1) this.waiting = requestAnimationFrame(this.frame);
  }

  /** Take over what the page has chosen: the picture in hand, and where it lies. */
  choose({ own, chosen }) {
    this.own = own ?? null;
    this.chosen = chosen ?? -1;
    if (!this.waiting) this.ownNow = this.ownGoal;
    this.cloud.paint();
  }

  // words

  stopName() {
    const { stages, epochs } = this.data;
    return epochs.length > 1 ? `${stages[this.stage]} · ${epochs[this.epoch]}` : stages[this.stage];
  }

  write() {
    const { data } = this;
    const { texts } = data;
    setText(this.title, this.stopName());
    const told = data.told[this.epoch][this.stage];
    this.told.forEach((line, place) => setText(line, told[place] ?? ""));
    const wrong = Array.from({ length: this.count }, (_, index) => this.isWrong(index)).filter(Boolean).length;
    this.cloud.box.setAttribute(
      "aria-label",
      fill(texts[data.can_be_wrong ? "alt" : "alt_plain"], {
        count: this.count.toLocaleString("en"),
        stop: this.stopName(),
        told: told.join(" "),
        wrong,
      }),
    );
    this.say(this.cloud.at);
  }

  say(index, aloud = false) {
    const text = index === null ? this.data.texts.hint : this.wordsOf(index);
    setText(this.pointed, text);
    if (aloud && index !== null) this.announce(text);
    if (index !== null) this.paintThumbnail(index);
    this.thumbnail.style.visibility = index === null ? "hidden" : "";
  }

  wordsOf(index) {
    const { arrays, texts, names, class_names: classes } = this.data;
    const answer = arrays.predicted[this.epoch * this.count + index];
    const label = arrays.labels[index];
    const values = {
      truth: label >= 0 ? classes[label] : names[index],
      predicted: classes[answer] ?? "",
    };
    if (answer < 0) return fill(texts.plain, values);
    if (label < 0) return fill(texts.unknown, values);
    return fill(texts[answer === label ? "right" : "wrong"], values);
  }

  picture(index) {
    if (this.pictures.has(index)) return this.pictures.get(index);
    const { image_height: height, image_width: width, channels, arrays } = this.data;
    const canvas = document.createElement("canvas");
    paintPixels(canvas, {
      image_width: width,
      image_height: height,
      channels,
      arrays: { image: arrays.images.subarray(index * height * width * channels) },
    });
    if (this.pictures.size > 80) this.pictures.clear();
    this.pictures.set(index, canvas);
    return canvas;
  }

  paintThumbnail(index) {
    const { image_height: height, image_width: width } = this.data;
    const picture = this.picture(index);
    resize(this.thumbnail, width, height).context.drawImage(picture, 0, 0);
    this.thumbnail.classList.toggle("pixelated", width <= 96);
  }

  // drawing

  isHidden(index) {
    return this.only !== null && this.data.arrays.labels[index] !== this.only;
  }

  paint(context, cloud) {
    const { labels } = this.data.arrays;
    const isFew = this.count <= this.data.few;
    for (const wrongOnes of [false, true]) {
      for (let index = 0; index < this.count; index++) {
        const isWrong = this.isWrong(index);
        if (isWrong !== wrongOnes) continue;
        const [x, y] = [cloud.x(cloud.places[2 * index]), cloud.y(cloud.places[2 * index + 1])];
        context.globalAlpha = this.isHidden(index) ? 0.1 : 1;
        if (isFew) {
          this.paintTile(context, index, x, y, isWrong);
        } else {
          const { canvas, half } = this.sprite(labels[index], isWrong);
          context.drawImage(canvas, x - half, y - half, 2 * half, 2 * half);
        }
      }
    }
    context.globalAlpha = 1;
    if (!isFew) this.paintNames(context, cloud);
    if (this.chosen >= 0) this.paintRing(context, this.chosen, 2);
    // a star would cover a picture that is drawn itself, and has a ring
    const isStar = this.ownNow && this.epoch === this.data.shown && !(isFew && this.chosen >= 0);
    if (isStar) this.paintOwn(context, cloud);
    if (cloud.at !== null) this.paintRing(context, cloud.at, 3);
  }

  paintTile(context, index, x, y, isWrong) {
    const { image_height: height, image_width: width, arrays } = this.data;
    const scale = MAP_TILE / Math.max(height, width);
    const [wide, high] = [width * scale, height * scale];
    context.imageSmoothingEnabled = width > 96;
    context.drawImage(this.picture(index), x - wide / 2, y - high / 2, wide, high);
    Object.assign(context, { strokeStyle: this.shadeOf(arrays.labels[index]), lineWidth: 2.5 });
    context.setLineDash(isWrong ? [4, 3] : []);
    context.strokeRect(x - wide / 2, y - high / 2, wide, high);
    context.setLineDash([]);
  }

  /** The name of each class in the middle of its points, where they lie apart. */
  paintNames(context, cloud) {
    const { classes, arrays } = this.data;
    const sums = new Map(classes.map(({ index }) => [index, [0, 0, 0]]));
    arrays.labels.forEach((label, index) => {
      const sum = sums.get(label);
      if (!sum) return;
      sum[0] += cloud.places[2 * index];
      sum[1] += cloud.places[2 * index + 1];
      sum[2] += 1;
    });
    const background = this.colour("--st-secondary-background-color");
    const taken = [];
    context.font = `700 15px ${this.colour("--st-font")}`;
    Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 5 });
    for (const { index, name } of classes) {
      const [right, up, count] = sums.get(index);
      if (!count || (this.only !== null && this.only !== index)) continue;
      const [x, y] = [cloud.x(right / count), cloud.y(up / count)];
      const text = name.length > 14 ? `${name.slice(0, 13)}…` : name;
      const half = context.measureText(text).width / 2 + 2;
      if (taken.some((one) => Math.abs(one.x - x) < one.half + half && Math.abs(one.y - y) < 17)) continue;
      taken.push({ x, y, half });
      Object.assign(context, { strokeStyle: background, fillStyle: this.shadeOf(index) });
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    }
  }

  paintRing(context, index, width) {
    const { cloud } = this;
    const [x, y] = [cloud.x(cloud.places[2 * index]), cloud.y(cloud.places[2 * index + 1])];
    const radius = this.count <= this.data.few ? MAP_TILE * 0.78 : 8;
    Object.assign(context, { strokeStyle: this.colour("--st-text-color"), lineWidth: width });
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }

  /** A star for the picture in hand; it moves with the others. */
  paintOwn(context, cloud) {
    const [x, y] = [cloud.x(this.ownNow[0]), cloud.y(this.ownNow[1])];
    context.beginPath();
    for (let corner = 0; corner < 10; corner++) {
      const radius = corner % 2 ? 4.5 : 11;
      const angle = (Math.PI * corner) / 5 - Math.PI / 2;
      context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
    }
    context.closePath();
    Object.assign(context, { fillStyle: this.colour("--st-text-color"), strokeStyle: this.colour("--st-secondary-background-color"), lineWidth: 2 });
    context.stroke();
    context.fill();
  }

  // what the cloud calls

  point(index, byKeyboard) {
    this.say(index, byKeyboard);
  }

  take(index) {
    // the time makes choosing the same again a change
    this.setStateValue("choice", { index, at: performance.now() });
  }
}
