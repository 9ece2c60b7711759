// The heads of all blocks as light switches: a row for each block.

class FoolHeads {
  /** ``fool`` hears: toggleHead(block, head). */
  constructor(parent, fool) {
    this.fool = fool;
    this.root = make("div", "heads", parent);
    this.root.role = "group";
    this.stop = 0;
    this.root.addEventListener("click", (event) => {
      const at = event.target.closest("button")?.dataset.at;
      if (at !== undefined && this.fool.mayPlayHeads) this.fool.toggleHead(...this.headOf(Number(at)));
    });
    this.root.addEventListener("focusin", (event) => this.rove(Number(event.target.dataset.at)));
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  headOf(at) {
    const { heads } = this.fool.data;
    return [Math.floor(at / heads), at % heads];
  }

  build({ depth, heads, texts }) {
    const { play } = texts;
    this.root.setAttribute("aria-label", play.heads);
    this.root.style.setProperty("--heads", heads);
    this.root.style.setProperty("--blocks", depth);
    this.root.classList.toggle("many", heads > 6 || depth > 6);
    this.root.replaceChildren();
    this.switches = [];
    for (let block = 0; block < depth; block++) {
      make("span", "block", this.root, `${block + 1}`).ariaHidden = "true";
      for (let head = 0; head < heads; head++) {
        const button = make("button", "switch", this.root);
        button.type = "button";
        button.role = "switch";
        button.dataset.at = this.switches.length;
        button.tabIndex = this.switches.length ? -1 : 0;
        button.setAttribute("aria-label", fill(play.head, { block: block + 1, head: head + 1 }));
        button.title = button.getAttribute("aria-label");
        this.switches.push(button);
      }
    }
    this.stop = 0;
  }

  show(headsOff) {
    const off = new Set(headsOff.map(([block, head]) => block * this.fool.data.heads + head));
    this.switches.forEach((button, at) => {
      const isOn = String(!off.has(at));
      if (button.ariaChecked !== isOn) button.ariaChecked = isOn;
    });
  }

  /** Take the switches out of the game, or give them back. */
  close(isClosed) {
    this.root.classList.toggle("closed", isClosed);
    for (const button of this.switches) button.ariaDisabled = String(isClosed);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { heads, depth } = this.fool.data;
    const to = neighbour(this.stop, event.key, { rows: depth, columns: heads, prefix_names: [] });
    if (to === null) return;
    event.preventDefault();
    this.switches[to].focus({ focusVisible: true });
  }

  rove(at) {
    if (!this.switches[at]) return;
    this.switches[this.stop].tabIndex = -1;
    this.stop = at;
    this.switches[at].tabIndex = 0;
  }
}
