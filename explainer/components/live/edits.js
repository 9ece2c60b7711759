// What may be changed in a pass; vit.js says what each edit does.

/** Return the places 0 … P - 1 whose tokens are not left out; the others follow the prefix in this order. */
function keptPlaces(P, { order, cover = {} }) {
  return Array.from({ length: P }, (_, place) => place).filter(
    (place) => cover[order ? order[place] : place] !== "drop",
  );
}

/** Refuse an image or edits that do not fit the model; an Error says what. */
function checkEdits({ config, C, height, width, P, H }, image, edits) {
  const refuse = (why) => {
    throw new Error(why);
  };
  if (image.length !== C * height * width) refuse(`an image of ${image.length} values does not fit this model`);
  for (const name of Object.keys(edits)) {
    if (!["headsOff", "noPosition", "cover", "order"].includes(name)) refuse(`there is no edit ${name}`);
  }
  const isIndex = (value, count) => Number.isInteger(value) && value >= 0 && value < count;
  for (const [block, head] of edits.headsOff ?? []) {
    if (!isIndex(block, config.depth) || !isIndex(head, H)) refuse(`there is no head ${head} in block ${block}`);
  }
  const { order } = edits;
  if (order && (order.length !== P || new Set(order).size !== P || !order.every((patch) => isIndex(patch, P)))) {
    refuse(`an order of ${P} patches names each of 0 to ${P - 1} once`);
  }
  for (const [patch, how] of Object.entries(edits.cover ?? {})) {
    if (!isIndex(Number(patch), P)) refuse(`there is no patch ${patch}`);
    if (!["mean", "black", "drop"].includes(how)) refuse(`a patch cannot be covered by ${how}`);
  }
  if (!keptPlaces(P, edits).length) refuse("at least one patch must stay");
}
