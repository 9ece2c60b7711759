// One model with one picture: its numbers, what the screens read out of them, and its live pass.

class StoryHalf {
  /** ``line``: on which the server is asked about a large model. */
  constructor(story, line) {
    Object.assign(this, { story, line });
    this.measured = new Map(); // results of experiments with this picture
  }

  /** Take over the numbers of a model and a picture; whether they are others than before. */
  take(bytes) {
    if (this.bytes && sameBytes(bytes, this.bytes)) return false;
    this.bytes = bytes;
    this.data = unpack(bytes);
    this.trace = new StoryTrace(this.data);
    this.measured.clear();
    this.telling = null;
    this.pictureAddress = addressOfPicture(this.data);
    this.outcomes = outcomeOf(this.trace);
    this.losses = this.data.has_head ? lossesOf(this.trace.get("logits").data) : null;
    return true;
  }

  get look() {
    return this.story.look;
  }

  get isFirst() {
    return this === this.story.half;
  }

  /** The patch that is followed through the model: in both halves at the same place of the picture. */
  get followed() {
    const { half, followed } = this.story;
    if (this.isFirst || followed === undefined) return followed;
    if (this.patchIn(half, this.chosen ?? -1) === followed) return this.chosen;
    return half.patchIn(this, followed);
  }

  /** The patch of another half at the place of one of this half's; null for none. */
  patchIn(half, patch) {
    const { rows, columns } = this.data;
    if (!(patch >= 0 && patch < rows * columns)) return null;
    const { rows: high, columns: wide } = half.data;
    // the middle of the patch, in whole numbers as state/second.py has it
    const row = Math.floor(((2 * Math.floor(patch / columns) + 1) * high) / (2 * rows));
    return row * wide + Math.floor(((2 * (patch % columns) + 1) * wide) / (2 * columns));
  }

  /** Whether what is drawn on the first screen is also this half's picture. */
  get takesDrawings() {
    if (!this.data.takes_drawings) return false;
    if (this.isFirst) return true;
    const { half, halves } = this.story;
    return halves.hasOnePicture && half.data.arrays.image.length === this.data.arrays.image.length;
  }

  get facts() {
    const { data } = this;
    const answer = data.has_head ? data.class_names[largestOf(this.outcomes)] : "";
    return { ...data.facts, answer, block: this.tellingHead.block + 1 };
  }

  /** The class that the loss asks for: the picture's, else what a visitor says, else what the model says. */
  get target() {
    const { label, class_names: names } = this.data;
    if (label !== null) return label;
    const { target, half } = this.story;
    const isSaid = Number.isInteger(target) && target < names.length;
    return isSaid && sameNames(names, half.data.class_names) ? target : largestOf(this.outcomes);
  }

  /** What one step teaches: that class, or where the model is sure of it already, the next likely one. */
  get lesson() {
    const { target, losses, outcomes } = this;
    const { half } = this.story;
    if (!this.isFirst && half.data.can_learn && sameNames(half.data.class_names, this.data.class_names)) {
      const taught = half.lesson.target; // the same in both
      return { target: taught, isOther: taught !== target, loss: losses[taught] };
    }
    const other = losses[target] < STEP_LITTLE ? largestOf(outcomes, target) : -1;
    if (other < 0) return { target, isOther: false, loss: losses[target] };
    return { target: other, isOther: true, loss: losses[other] };
  }

  /** Under which name the answer to what such a step does is kept. */
  get lessonName() {
    const canLearn = this.data.can_learn && this.lesson.loss > 0;
    return canLearn ? `${this.data.context} ${this.lesson.target}` : null;
  }

  get stepName() {
    return `step ${this.lesson.target}`;
  }

  /** What the server has said of one step of this picture already. */
  get knownStep() {
    return this.measured.get(this.stepName);
  }

  /** What the server says of one step; null where it has been asked for another one meanwhile. */
  async step() {
    const { context } = this.data;
    const { stepName: name } = this;
    if (this.knownStep) return this.knownStep;
    this.steps ??= new AskedLine(`${this.line}-step`);
    const found = await this.steps.ask({ target: this.lesson.target });
    if (found && this.data.context === context) this.measured.set(name, found);
    return found;
  }

  /** Where many pictures lie for this model; null where it is asked for anew meanwhile. */
  async map(onWait) {
    const { map_name: name } = this.data;
    if (this.kept?.name === name) return this.kept.map;
    this.maps ??= new AskedLine(`${this.line}-map`);
    const map = await this.maps.ask({}, onWait);
    if (map) this.kept = { name, map };
    return map;
  }

  /** Whether it is asked among which pictures this one lies; only of digits before the map is known. */
  get asksOfMap() {
    const { has_head: hasHead, map_name: name, is_digits: isDigits } = this.data;
    if (this.kept?.name !== name) return hasHead && isDigits;
    return hasHead && this.kept.map.points?.length >= MAP_ASKED;
  }

  patchName(patch) {
    const { columns, frame } = this.data;
    return fill(frame.patch, { row: Math.floor(patch / columns) + 1, column: (patch % columns) + 1 });
  }

  headsOf(block) {
    return this.trace.get(patternOf(block)).shape[0];
  }

  /** Where a patch looks in a head: a weight for each patch. */
  weightsOf(block, head, patch) {
    const { shape, data } = this.trace.get(patternOf(block));
    const size = shape.at(-1);
    const numPrefix = this.data.prefix_names.length;
    const from = (head * size + numPrefix + patch) * size;
    return data.subarray(from + numPrefix, from + size);
  }

  prefixWeight(block, head, patch, token) {
    const { shape, data } = this.trace.get(patternOf(block));
    const size = shape.at(-1);
    return data[(head * size + this.data.prefix_names.length + patch) * size + token];
  }

  /** The head in which the followed patch looks most clearly at another one, in both halves the first's. */
  get tellingHead() {
    if (!this.isFirst) return this.nearestHead(this.story.half.tellingHead);
    if (this.telling) return this.telling;
    let best = { block: 0, head: 0, weight: -1 };
    const patch = this.followed ?? this.data.telling;
    for (let block = 0; block < this.data.depth; block++) {
      if (!this.trace.has(patternOf(block))) continue;
      for (let head = 0; head < this.headsOf(block); head++) {
        const weights = this.weightsOf(block, head, patch);
        const other = largestOf(weights, patch);
        const weight = other < 0 ? 0 : weights[other];
        if (weight > best.weight) best = { block, head, weight };
      }
    }
    return (this.telling = best);
  }

  /** A head of this model like one of another: the same, or the last that was sent. */
  nearestHead({ block, head }) {
    const blocks = Array.from({ length: this.data.depth }, (_, at) => at);
    const sent = blocks.filter((at) => this.trace.has(patternOf(at)));
    const nearest = sent.filter((at) => at <= block).at(-1) ?? sent[0];
    return { block: nearest, head: Math.min(head, this.headsOf(nearest) - 1) };
  }

  streamName(stage) {
    return stage ? `blocks.${stage - 1}.resid_post` : "embed";
  }

  /** The stages of the stream that the server has sent: 0 is before block 1. */
  get stages() {
    const all = Array.from({ length: this.data.depth + 1 }, (_, stage) => stage);
    return all.filter((stage) => this.trace.has(this.streamName(stage)));
  }

  /** Two other pictures than this one, with their pixels if the model can take them. */
  otherPictures() {
    const { data } = this;
    const mine = { name: data.frame.picture, picture: { canvas: pictureCanvas(data), pixels: null } };
    if (!data.is_digits || data.image_height !== 28) return [mine, this.changed("upside_down"), this.changed("negative")];
    const size = data.image_height * data.image_width;
    const digits = [3, 8].map((digit) => {
      const pixels = data.arrays.digits.subarray(digit * size, (digit + 1) * size);
      const { canvas } = new StagePicture().set(pixels, 28, 28, 1);
      const name = fill(data.screens[0].digit, { digit });
      return { name, picture: { canvas, pixels } };
    });
    return [mine, ...digits];
  }

  /** This picture turned upside down, or as a negative: others, for a model without digits. */
  changed(how) {
    const { data } = this;
    const { image } = data.arrays;
    const size = data.channels;
    const pixels =
      how === "negative"
        ? image.map((value) => 255 - value)
        : image.map((_, at) => image[(Math.floor((image.length - 1 - at) / size) * size) + (at % size)]);
    const { canvas } = new StagePicture().set(pixels, data.image_height, data.image_width, size);
    return { name: data.frame[how], picture: { canvas, pixels } };
  }

  // the model in this browser

  openLive(model) {
    const name = model?.hash ?? this.data.model;
    if (this.liveName === name && this.live) return;
    this.closeLive();
    this.liveName = name;
    this.isAsked = !model;
    this.live = model ? openLive(model) : openServerLine(this.line);
    this.live.ready.catch(() => {
      if (this.liveName === name) this.askServer();
    });
  }

  /** The browser cannot run this model, so the server does. */
  askServer() {
    this.live?.close();
    this.isAsked = true;
    this.live = openServerLine(this.line);
  }

  closeLine() {
    this.steps?.close();
    this.maps?.close();
    this.steps = this.maps = null;
  }

  closeLive() {
    this.live?.close();
    this.live = null;
  }

  /** Whether a pass costs the server nothing. */
  get hasLive() {
    return Boolean(this.live) && !this.isAsked;
  }

  /** Edits of a pass, with those that make this half another one. */
  withOwn(edits) {
    const { headsOff = [], noPosition = false } = this.edits ?? {};
    return {
      ...edits,
      headsOff: [...headsOff, ...(edits.headsOff ?? [])],
      noPosition: noPosition || Boolean(edits.noPosition),
    };
  }

  /** A drawing with what is changed in this half's picture. */
  edited(pixels) {
    const { image_height: height, image_width: width, channels: C, rows, columns } = this.data;
    return this.edits ? editedPixels(pixels, { height, width, C, rows, columns }, this.edits) : pixels;
  }

  /** A pass over other pixels or with edits; null if a newer one was asked for, or none is possible. */
  async ask(pixels, changes = {}) {
    const edits = this.withOwn(changes);
    const { quiet } = this.story;
    try {
      if (this.isAsked) setText(quiet, this.data.frame.asking);
      const trace = await this.live.ask(pixels, edits);
      if (this.isAsked) setText(quiet, "");
      quiet.classList.remove("failed");
      return trace;
    } catch {
      setText(quiet, this.data.frame.failed);
      quiet.classList.add("failed");
      return null;
    }
  }

  /** What the model makes of this picture with edits: shares, or features. */
  async outcome(edits) {
    const trace = await this.ask(this.data.arrays.image, edits);
    return trace && outcomeOf(trace);
  }
}

function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function pictureCanvas({ image_height: height, image_width: width, channels, arrays }, pixels = arrays.image) {
  return new StagePicture().set(pixels, height, width, channels).canvas;
}

function addressOfPicture(data, pixels) {
  return pictureCanvas(data, pixels).toDataURL();
}
