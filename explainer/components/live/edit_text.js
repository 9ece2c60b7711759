// Edits as a link writes them, the same as explainer/state/edits.py; what each does, edit_pixels.js
// and vit.js say.
//
//     const edits = readEdits("t15_x-2_m12_s3.7_h0.2");  // throws for what is no text of edits
//     writeEdits({ ...edits, turn: 20 });
//
// Edits are never written to: whoever changes them makes new ones.

const NO_EDITS = { headsOff: [], cover: {}, swaps: [], move: [0, 0], turn: 0, noPosition: false };
const LONGEST_EDITS = 1000; // characters
const COVER_LETTERS = { m: "mean", k: "black", d: "drop" };
const TURN_STEP = 5; // degrees
const EDIT_ITEM =
  /^(?:h([0-9]{1,2})\.([0-9]{1,2})|([mkd])([0-9]{1,4})|s([0-9]{1,4})\.([0-9]{1,4})|([txy])(-?[0-9]{1,3})|(n))$/;

/** Read the text of a link; an Error says that it is none. */
function readEdits(text) {
  const refuse = () => {
    throw new Error(`these are no edits: ${text.slice(0, 80)}`);
  };
  if (text.length > LONGEST_EDITS) refuse();
  const heads = [];
  const cover = {};
  const swaps = [];
  const numbers = {}; // what is said once at most
  const once = (values, name, value) => {
    if (name in values) refuse();
    values[name] = value;
  };
  for (const item of text ? text.split("_") : []) {
    const match = EDIT_ITEM.exec(item);
    if (!match) refuse();
    const [, block, head, letter, patch, one, other, name, number, position] = match;
    if (block !== undefined) heads.push([Number(block), Number(head)]);
    else if (letter) once(cover, Number(patch), COVER_LETTERS[letter]);
    else if (one !== undefined) swaps.push([Number(one), Number(other)]);
    else once(numbers, position ?? name, Number(number ?? 1) || 0); // no -0
  }
  const { t: turn = 0, x = 0, y = 0, n: noPosition = 0 } = numbers;
  if (turn % TURN_STEP || turn <= -180 || turn > 180) refuse();
  return { headsOff: sortedHeads(heads), cover, swaps, move: [x, y], turn, noPosition: Boolean(noPosition) };
}

/** Write edits as a link has them, in the order in which they happen; empty where there are none. */
function writeEdits({ headsOff, cover, swaps, move: [right, down], turn, noPosition }) {
  const letters = Object.fromEntries(Object.entries(COVER_LETTERS).map(([letter, how]) => [how, letter]));
  const items = [];
  for (const [letter, number] of [["t", turn], ["x", right], ["y", down]]) if (number) items.push(letter + number);
  for (const [patch, how] of Object.entries(cover)) items.push(letters[how] + patch); // JavaScript sorts numbers
  for (const [one, other] of swaps) items.push(`s${one}.${other}`);
  if (noPosition) items.push("n");
  for (const [block, head] of sortedHeads(headsOff)) items.push(`h${block}.${head}`);
  return items.join("_");
}

/** The heads in order, each once. */
function sortedHeads(heads) {
  const sorted = heads.slice().sort(([b0, h0], [b1, h1]) => b0 - b1 || h0 - h1);
  return sorted.filter(([block, head], at) => !at || sorted[at - 1][0] !== block || sorted[at - 1][1] !== head);
}

/** Leave out what a model lacks. ``model`` has P, depth, H, height and width. */
function fittingEdits(edits, { P, depth, H, height, width, hasPosition = true }) {
  const cover = Object.fromEntries(Object.entries(edits.cover).filter(([patch]) => Number(patch) < P));
  const dropped = Object.keys(cover).filter((patch) => cover[patch] === "drop");
  if (dropped.length === P) delete cover[dropped.at(-1)]; // at least one patch must stay
  const within = (shift, size) => (Math.abs(shift) < size ? shift : 0);
  return {
    headsOff: edits.headsOff.filter(([block, head]) => block < depth && head < H),
    cover,
    swaps: edits.swaps.filter(([one, other]) => one < P && other < P),
    move: [within(edits.move[0], width), within(edits.move[1], height)],
    turn: edits.turn,
    noPosition: edits.noPosition && hasPosition,
  };
}

/** The patch that stands at each place after all swaps. */
function orderAfter(swaps, P) {
  const order = Array.from({ length: P }, (_, place) => place);
  for (const [one, other] of swaps) [order[one], order[other]] = [order[other], order[one]];
  return order;
}

/** The fewest swaps that lead to an order, in a fixed sequence. */
function swapsFor(order) {
  const now = Array.from(order, (_, place) => place);
  const swaps = [];
  for (let place = 0; place < order.length; place++) {
    if (now[place] === order[place]) continue;
    const other = now.indexOf(order[place]);
    [now[place], now[other]] = [now[other], now[place]];
    swaps.push([place, other]);
  }
  return swaps;
}
