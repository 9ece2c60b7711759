// Where one token looks, as arcs over the picture: each is as wide as its weight is large.

const ARC_BEND = 0.14; // of the way, to the side

/**
 * Draw arcs from one point to others.
 *
 * ``ends`` are [point, share of the widest] pairs; the wider arcs lie on top. An arc ends in a dot.
 */
function drawArcs(context, from, ends, { colour, widest }) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineCap = "round";
  for (const [to, share] of [...ends].sort((one, other) => one[1] - other[1])) {
    if (share <= 0) continue;
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const middle = [from[0] + dx / 2 + ARC_BEND * dy, from[1] + dy / 2 - ARC_BEND * dx];
    context.globalAlpha = arcOpacity(share);
    context.lineWidth = widest * share;
    context.beginPath();
    context.moveTo(...from);
    context.quadraticCurveTo(...middle, ...to);
    context.stroke();
    context.beginPath();
    context.arc(...to, Math.max(Math.min(1.25, 125 * share), 0.7 * widest * share), 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}

/** How opaque an arc is: a thin one still has to be seen. */
function arcOpacity(share) {
  return 0.6 + 0.35 * share;
}
