// What every view does in which one token, patch or filter of a grid is chosen.

/**
 * Subclasses build a ``grid`` and an ``announce``r (see grid.js), name the ``axis`` on which the page
 * marks what is pointed at, and ``say(index)`` what is read aloud.
 */
class ChoosingView extends View {
  choose({ query }) {
    this.chosen = Math.min(Math.max(query, 0), this.grid.buttons.length - 1);
    this.page.keep(this, { [this.axis]: this.chosen });
    this.mark();
  }

  /** Show a choice at once and hand it to Python. */
  send(index) {
    this.looking = null;
    this.page.point(this, null);
    this.channel.set({ ...this.channel.choice, query: index });
    this.announce(this.sayChosen(index));
    // the time makes choosing the same one again a change
    this.setStateValue("choice", { query: index, at: performance.now() });
  }

  /** Mark on the page what is pointed at here; nothing if ``index`` is null. */
  look(index, byKeyboard = false) {
    if (index === this.looking) return;
    this.looking = index;
    this.page.point(this, index === null ? null : { [this.axis]: index });
    if (byKeyboard) this.announce(this.say(index));
  }

  sayChosen(index) {
    return fill(this.data.texts.chosen, { readout: this.say(index) });
  }
}
