// What a visitor did, step by step, so that it can be undone and done again.

class FoolSteps {
  constructor(edits) {
    this.begin(edits);
  }

  /** Start from edits that nobody can undo, as those of a link; they count as moves already. */
  begin(edits) {
    this.steps = [{ edits, kind: "" }];
    this.at = 0;
    this.earlier = countOfChanges(edits);
  }

  get edits() {
    return this.steps[this.at].edits;
  }

  get moves() {
    return this.earlier + this.at;
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.steps.length - 1;
  }

  /**
   * Take a step. One of the same ``kind`` as the last, while ``goesOn``, belongs to it: a picture that
   * is pushed ten pixels by ten keys was moved once. Returns whether anything has changed.
   */
  take(edits, kind, goesOn = false) {
    if (writeEdits(edits) === writeEdits(this.edits)) return false;
    this.steps.length = this.at + 1;
    if (goesOn && this.at > 0 && this.steps[this.at].kind === kind) this.steps.pop();
    this.steps.push({ edits, kind });
    this.at = this.steps.length - 1;
    return true;
  }

  undo() {
    if (this.canUndo) this.at--;
  }

  redo() {
    if (this.canRedo) this.at++;
  }
}

/** How many single changes edits have. */
function countOfChanges({ headsOff, cover, swaps, move: [right, down], turn, noPosition }) {
  const ofPicture = Object.keys(cover).length + swaps.length + Number(Boolean(right || down)) + Number(turn !== 0);
  return ofPicture + headsOff.length + Number(noPosition);
}
