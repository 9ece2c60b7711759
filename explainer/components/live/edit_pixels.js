// What edits do to a picture: turned, moved, patches covered, patches swapped; the same levels as
// explainer/inputs/pictures/edited.py gives. A picture is a Uint8ClampedArray (height, width, channels),
// and no function writes to the one that it gets.
//
// ``shape`` has height, width, C (channels), rows and columns of patches.

/** The picture after all edits of its pixels; what is left out of the pass stays in it. */
function editedPixels(pixels, shape, { turn, move, cover, swaps }) {
  const moved = movedPixels(turnedPixels(pixels, shape, turn), shape, move);
  return swappedPixels(coveredPixels(moved, shape, cover), shape, swaps);
}

/** Turn a picture counter-clockwise about its centre; black comes in from outside. */
function turnedPixels(pixels, { height, width, C }, degrees) {
  if (!degrees) return pixels;
  const angle = (degrees * Math.PI) / 180;
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)].map((value) => Math.round(value * 1e6) / 1e6);
  const [middleRow, middleColumn] = [(height - 1) / 2, (width - 1) / 2];
  const turned = new Uint8ClampedArray(pixels.length);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += C) {
      const [down, right] = [row - middleRow, column - middleColumn];
      const x = middleColumn + cosine * right - sine * down;
      const y = middleRow + sine * right + cosine * down;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [across, below] = [x - left, y - top];
      for (let channel = 0; channel < C; channel++) {
        const level = (atRow, atColumn) =>
          atRow >= 0 && atRow < height && atColumn >= 0 && atColumn < width
            ? pixels[(atRow * width + atColumn) * C + channel]
            : 0;
        const upper = level(top, left) * (1 - across) + level(top, left + 1) * across;
        const lower = level(top + 1, left) * (1 - across) + level(top + 1, left + 1) * across;
        turned[to + channel] = Math.floor(upper * (1 - below) + lower * below + 0.5);
      }
    }
  }
  return turned;
}

/** Move a picture by whole pixels to the right and down; black comes in from outside. */
function movedPixels(pixels, { height, width, C }, [right, down]) {
  if (!right && !down) return pixels;
  const moved = new Uint8ClampedArray(pixels.length);
  const first = Math.max(0, right);
  const length = (width - Math.abs(right)) * C;
  for (let row = Math.max(0, down); row < Math.min(height, height + down) && length > 0; row++) {
    const from = ((row - down) * width + first - right) * C;
    moved.set(pixels.subarray(from, from + length), (row * width + first) * C);
  }
  return moved;
}

/** Cover patches with black or with the mean colour of the picture, in whole levels. */
function coveredPixels(pixels, shape, cover) {
  const patches = Object.entries(cover).filter(([, how]) => how !== "drop");
  if (!patches.length) return pixels;
  const colours = { black: new Array(shape.C).fill(0), mean: meanLevels(pixels, shape) };
  const covered = pixels.slice();
  for (const [patch, how] of patches) {
    eachPixel(shape, Number(patch), (at) => {
      for (let channel = 0; channel < shape.C; channel++) covered[at + channel] = colours[how][channel];
    });
  }
  return covered;
}

/** The mean of each channel, rounded to a whole level. */
function meanLevels(pixels, { C }) {
  const sums = new Array(C).fill(0);
  for (let at = 0; at < pixels.length; at++) sums[at % C] += pixels[at];
  return sums.map((sum) => Math.floor(sum / (pixels.length / C) + 0.5));
}

/** Let the patches of two places change places, one pair after another. */
function swappedPixels(pixels, shape, swaps) {
  if (!swaps.length) return pixels;
  const swapped = pixels.slice();
  orderAfter(swaps, shape.rows * shape.columns).forEach((patch, place) => {
    if (patch === place) return;
    const [from, to] = [patch, place].map((at) => {
      const starts = [];
      eachPixel(shape, at, (start) => starts.push(start));
      return starts;
    });
    from.forEach((start, at) => {
      for (let channel = 0; channel < shape.C; channel++) swapped[to[at] + channel] = pixels[start + channel];
    });
  });
  return swapped;
}

/** Call ``act`` with where each pixel of a patch starts. */
function eachPixel({ height, width, C, rows, columns }, patch, act) {
  const [high, wide] = [height / rows, width / columns];
  const [top, left] = [Math.floor(patch / columns) * high, (patch % columns) * wide];
  for (let row = top; row < top + high; row++) {
    for (let column = left; column < left + wide; column++) act((row * width + column) * C);
  }
}

/** What the pass has to do beside the pixels, as ``ask`` of live.js takes it. */
function passEdits({ headsOff, cover, swaps, noPosition }, P) {
  const order = orderAfter(swaps, P);
  const drops = Object.keys(cover).filter((patch) => cover[patch] === "drop");
  return {
    headsOff,
    noPosition,
    cover: Object.fromEntries(drops.map((patch) => [order.indexOf(Number(patch)), "drop"])),
  };
}
