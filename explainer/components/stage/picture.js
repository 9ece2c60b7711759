// The image, whole or cut into patches that stand apart.

/** An image (height, width, channels) of uint8, ready to be drawn at any size. */
class StagePicture {
  constructor() {
    this.canvas = document.createElement("canvas");
  }

  set(pixels, height, width, channels) {
    const { context, picture } = resize(this.canvas, width, height);
    for (let at = 0; at < height * width; at++) {
      for (let channel = 0; channel < 3; channel++) {
        picture.data[4 * at + channel] = pixels[at * channels + (channels === 3 ? channel : 0)];
      }
      picture.data[4 * at + 3] = 255;
    }
    context.putImageData(picture, 0, 0);
    return this;
  }

  /** Whether its pixels are to be seen one by one; a photograph is smoothed. */
  get isSmall() {
    return this.canvas.width <= 96;
  }
}

/** Where patch ``index`` stands in a box while the patches are ``apart`` (0: joined, 1: with gaps). */
function patchBox(box, { rows, columns }, index, apart = 1) {
  const gap = apart * Math.min(0.14 * Math.min(box.width / columns, box.height / rows), 6);
  const width = (box.width - gap * (columns - 1)) / columns;
  const height = (box.height - gap * (rows - 1)) / rows;
  return {
    x: box.x + (index % columns) * (width + gap),
    y: box.y + Math.floor(index / columns) * (height + gap),
    width,
    height,
  };
}

/** Draw patch ``index`` of a picture into the box ``to``. */
function drawPatch(context, picture, { rows, columns }, index, to) {
  const { canvas } = picture;
  const [wide, high] = [canvas.width / columns, canvas.height / rows];
  context.imageSmoothingEnabled = !picture.isSmall;
  const [left, top] = [(index % columns) * wide, Math.floor(index / columns) * high];
  context.drawImage(canvas, left, top, wide, high, to.x, to.y, to.width, to.height);
}

/**
 * Draw a picture as patches.
 *
 * ``followed`` is the patch that gets a frame of ``colour``; ``shares`` says how visible each is.
 */
function drawPatches(context, box, picture, grid, { apart = 1, followed = null, colour, shares } = {}) {
  for (let index = 0; index < grid.rows * grid.columns; index++) {
    const share = shares ? shares(index) : 1;
    if (share <= 0) continue;
    context.globalAlpha = share;
    drawPatch(context, picture, grid, index, patchBox(box, grid, index, apart));
  }
  context.globalAlpha = 1;
  if (followed === null || followed < 0) return;
  const patch = patchBox(box, grid, followed, apart);
  context.strokeStyle = colour;
  context.lineWidth = 3;
  context.strokeRect(patch.x - 1.5, patch.y - 1.5, patch.width + 3, patch.height + 3);
}
