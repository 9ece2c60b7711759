// Home's picture: one drawing of a whole pass, as far as it has come.

/** How far each part of the picture has come; the film moves these, at rest all are there. */
function wholeScene(data) {
  return { apart: 1, rows: 1, class_token: 1, position: 1, blocks: data.depth, pool: 1, answer: 1 };
}

function emptyScene() {
  return { apart: 0, rows: 0, class_token: 0, position: 0, blocks: 0, pool: 0, answer: 0 };
}

/** The matrices of a trace, painted once; drawn again at every frame. */
class PaintedTrace {
  constructor() {
    this.image = new StagePicture();
    this.matrices = new Map();
  }

  set(trace, image, data, look) {
    this.trace = trace;
    this.image.set(image, data.image_height, data.image_width, data.channels);
    for (const name of drawnMatrices(data)) {
      const matrix = this.matrices.get(name) ?? new StageRows();
      this.matrices.set(name, matrix.set(trace.get(name), look));
    }
  }

  matrix(name) {
    return this.matrices.get(name);
  }
}

function drawnMatrices({ depth, has_position: hasPosition }) {
  const blocks = Array.from({ length: depth }, (_, block) => `blocks.${block}.resid_post`);
  return ["tokens", ...(hasPosition ? ["pos_embed"] : []), "embed", ...blocks, "pooled"];
}

/**
 * Draw the picture.
 *
 * ``followed``: the token whose way is lit up, or null. ``at``: a scene. ``probabilities``: of the
 * shown classes. ``moves``: whether the film shows it, so that what moves stands out.
 */
function drawHome(context, { layout, look, data, painted, followed, at, probabilities, moves }) {
  context.clearRect(0, 0, layout.width, layout.height);
  context.lineCap = "round";
  const view = { context, layout, look, data, painted, followed, at, moves };
  drawInflow(view);
  drawPatchLines(view);
  drawImagePatches(view);
  drawPatchRows(view);
  drawPosition(view);
  drawBlocks(view);
  drawPooled(view);
  drawFan(view, probabilities);
}

/** From the pad down to the patches: a pale beam. */
function drawInflow({ context, layout: { frame, patches }, look }) {
  const bottom = frame.y + frame.height;
  const way = patches.y - bottom;
  if (way <= 0 || way > 160) return; // on a telephone the bars lie between
  const beam = context.createLinearGradient(0, bottom, 0, patches.y);
  beam.addColorStop(0, `${look.marks.patch}10`);
  beam.addColorStop(1, `${look.marks.patch}30`);
  context.fillStyle = beam;
  context.beginPath();
  context.moveTo(frame.x + 6, bottom + 2);
  context.lineTo(frame.x + frame.width - 6, bottom + 2);
  context.lineTo(patches.x + patches.width, patches.y - 3);
  context.lineTo(patches.x, patches.y - 3);
  context.fill();
}

function drawImagePatches({ context, layout, look, data, painted, followed, at }) {
  const patch = followed === null ? null : followed - data.prefix_names.length;
  drawPatches(context, layout.patches, painted.image, data, {
    apart: eased(at.apart),
    followed: at.apart > 0.5 ? patch : null,
    colour: look.marks.query,
  });
}

/** How far patch ``index`` has come on its way to its row. */
function patchWay({ data, at }, index) {
  return eased(2.2 * at.rows - (1.2 * index) / (data.rows * data.columns));
}

/** Where a patch's line to its row starts and ends. */
function patchLine({ layout: { patches, rows }, data }, index) {
  const box = patchBox(patches, data, index);
  const row = data.positions - data.rows * data.columns + index;
  return [
    [box.x + box.width, box.y + box.height / 2],
    [rows.x - 3, rowMiddle(rows, row, data.positions)],
  ];
}

function drawPatchLines(view) {
  const { context, look, data, moves } = view;
  const count = data.rows * data.columns;
  const each = Math.ceil(count / 64); // of many lines, some
  context.strokeStyle = look.marks.patch;
  context.lineWidth = 0.9;
  for (let index = 0; index < count; index += each) {
    const share = patchWay(view, index);
    if (share <= 0) continue;
    context.globalAlpha = moves && share < 1 ? 0.5 : 0.3;
    attentionLine(context, ...patchLine(view, index), share);
  }
  context.globalAlpha = 1;
}

/** The rows that have arrived, and patches on their way. */
function drawPatchRows(view) {
  const { context, layout, look, data, painted, followed, at } = view;
  const { patches, rows } = layout;
  const count = data.rows * data.columns;
  const first = data.positions - count; // 1 with a class token
  const way = (index) => patchWay(view, index);
  const classRow = first ? at.class_token : 0;
  drawRows(context, rows, painted.matrix("tokens"), {
    shares: (row) => (row < first ? eased(classRow) : way(row - first) >= 1 ? 1 : 0),
  });
  for (let index = 0; index < count && at.rows < 1; index++) {
    const share = way(index);
    if (share <= 0 || share >= 1) continue;
    const [from, to] = [patchBox(patches, data, index), rowBox(rows, first + index, data.positions)];
    const [x, y] = onLevelCurve(
      [from.x + from.width / 2, from.y + from.height / 2],
      [to.x + to.width / 2, to.y + to.height / 2],
      share,
    );
    const [width, height] = [mixed(from.width, to.width, share), mixed(from.height, to.height, share)];
    drawPatch(context, painted.image, data, index, { x: x - width / 2, y: y - height / 2, width, height });
  }
  if (first && classRow > 0) markClassToken(context, rows, 0, data.positions, look, classRow);
  if (followed === null || at.rows < 1) return;
  const position = positionOfToken(data, followed);
  if (position === null) return;
  markRow(context, rows, position, data.positions, look.marks.query);
  if (position < first) return;
  context.strokeStyle = look.marks.query;
  context.lineWidth = 2.5;
  attentionLine(context, ...patchLine(view, position - first), 1);
}

function mixed(from, to, share) {
  return from + (to - from) * share;
}

/** A small gold arrow at the class token's row. */
function markClassToken(context, box, row, count, look, share) {
  const y = rowMiddle(box, row, count);
  context.globalAlpha = share;
  context.fillStyle = look.marks["class-token"];
  context.beginPath();
  context.moveTo(box.x - 3, y);
  context.lineTo(box.x - 11, y - 5);
  context.lineTo(box.x - 11, y + 5);
  context.fill();
  context.globalAlpha = 1;
}

/** rows + position = what enters the first block. */
function drawPosition({ context, layout, look, data, painted, followed, at }) {
  const { rows, position, embed } = layout;
  if (!position) return;
  const appear = (from) => (row) => eased(3 * at.position - from - row / data.positions);
  context.fillStyle = look.muted;
  context.font = `600 ${Math.min(22, (position.x - rows.x - rows.width) * 0.9)}px ${look.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const middle = layout.inner.y + layout.inner.height / 2;
  context.globalAlpha = eased(4 * at.position);
  context.fillText("+", (rows.x + rows.width + position.x) / 2, middle);
  context.globalAlpha = eased(4 * at.position - 2);
  context.fillText("=", (position.x + position.width + embed.x) / 2, middle);
  context.globalAlpha = 1;
  drawRows(context, position, painted.matrix("pos_embed"), { shares: at.position < 1 ? appear(0) : null });
  drawRows(context, embed, painted.matrix("embed"), {
    shares: at.position < 1 ? (row) => eased(3 * at.position - 1 - row / data.tokens) : null,
  });
  if (followed === null || at.position < 1) return;
  const row = positionOfToken(data, followed);
  if (row !== null) markRow(context, position, row, data.positions, look.marks.query);
  markRow(context, embed, followed, data.tokens, look.marks.query);
}

/** Attention from column to column, and what each block leaves behind. */
function drawBlocks({ context, layout, look, data, painted, followed, at, moves }) {
  layout.blocks.forEach((column, block) => {
    const come = Math.max(0, Math.min(1, at.blocks - block));
    if (come <= 0) return;
    const before = block ? layout.blocks[block - 1] : layout.embed;
    const attention = attentionOf(painted.trace, block);
    const share = eased(1.5 * come);
    const isNow = moves && come < 1;
    drawAllAttention(context, before, column, attention, {
      colour: isNow ? look.marks.key : look.muted,
      most: 4 * Math.min(64, data.tokens),
      share,
      alpha: isNow ? 1 : followed === null ? 0.5 : 0.22,
    });
    if (followed !== null) {
      drawAttention(context, before, column, attention, followed, { colour: look.marks.query, share });
    } else if (moves && data.pool === "cls") {
      drawAttention(context, before, column, attention, 0, { colour: look.marks["class-token"], share });
    }
    const shown = eased(2.5 * come - 1.5);
    drawRows(context, column, painted.matrix(`blocks.${block}.resid_post`), {
      shares: shown < 1 ? () => shown : null,
    });
    if (followed !== null && shown >= 1) markRow(context, column, followed, data.tokens, look.marks.query);
  });
}

/** What goes on from the last column: the class token alone, or the mean of all patches. */
function drawPooled({ context, layout, look, data, painted, followed, at }) {
  const { pooled, blocks } = layout;
  if (at.pool <= 0) return;
  const last = blocks.at(-1);
  const [x0, x1, y] = [last.x + last.width + 2, pooled.x - 2, pooled.y + pooled.height / 2];
  const share = eased(1.6 * at.pool);
  if (data.pool === "cls") {
    context.strokeStyle = look.marks["class-token"];
    context.lineWidth = 3;
    attentionLine(context, [x0, rowMiddle(last, 0, data.tokens)], [x1, y], share);
    if (followed !== 0) markRow(context, last, 0, data.tokens, look.marks["class-token"]);
  } else {
    const prefix = data.prefix_names.length;
    context.strokeStyle = look.marks.patch;
    context.lineWidth = 0.8;
    context.globalAlpha = 0.45;
    for (let token = prefix; token < data.tokens; token++) {
      attentionLine(context, [x0, rowMiddle(last, token, data.tokens)], [x1, y], share);
    }
  }
  context.globalAlpha = eased(2 * at.pool - 1);
  drawRows(context, pooled, painted.matrix("pooled"));
  context.strokeStyle = data.pool === "cls" ? look.marks["class-token"] : look.marks.patch;
  context.lineWidth = 1.5;
  context.strokeRect(pooled.x - 1, pooled.y - 1, pooled.width + 2, pooled.height + 2);
  context.globalAlpha = 1;
}

/** From that one row to every class; the thicker, the more probable. */
function drawFan({ context, layout, look, data, at }, probabilities) {
  const { pooled, fan, bars } = layout;
  const from = [pooled.x + pooled.width + 3, pooled.y + pooled.height / 2];
  const share = eased(2 * at.answer);
  if (share <= 0) return;
  if (!data.has_head && bars.x >= from[0]) {
    context.strokeStyle = look.marks.patch;
    context.lineWidth = 3;
    attentionLine(context, from, [bars.x - 4, bars.y + bars.height / 2], share);
    return;
  }
  let best = 0;
  probabilities.forEach((value, index) => value > probabilities[best] && (best = index));
  fan.forEach((bar, index) => {
    const probability = probabilities[index] ?? 0;
    context.strokeStyle = index === best ? look.marks.accent : look.muted;
    context.globalAlpha = 0.22 + 0.68 * probability;
    context.lineWidth = 0.8 + 7 * probability;
    attentionLine(context, from, [bar.x - 3, bar.y + bar.height / 2], share);
  });
  context.globalAlpha = 1;
}
