// Follow one patch: whatever is pointed at, its token lights up everywhere; a click keeps it.

/** Buttons on the patches and on the tokens before them; one tab stop for all. */
class Follow {
  constructor(home) {
    this.home = home;
    this.pointed = null;
    this.kept = null;
    this.stop = 0;
    this.group = make("div", "tokens", home.stages);
    this.group.role = "group";
    const { stages } = home;
    stages.addEventListener("pointermove", (event) => this.point(this.under(event)));
    stages.addEventListener("pointerdown", (event) => this.point(this.under(event)));
    stages.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && this.point(null));
    stages.addEventListener("click", (event) => {
      if (event.target.closest("a")) return;
      const token = event.detail ? this.under(event) : Number(event.target.dataset?.token ?? NaN);
      if (Number.isInteger(token)) this.choose(token);
    });
    this.group.addEventListener("focusin", (event) => {
      if (!event.target.matches(":focus-visible")) return;
      this.rove(Number(event.target.dataset.token));
      this.point(this.stop, true);
    });
    this.group.addEventListener("focusout", (event) => {
      if (!this.group.contains(event.relatedTarget)) this.point(null);
    });
    this.group.addEventListener("keydown", (event) => this.press(event));
  }

  build(data) {
    this.group.setAttribute("aria-label", data.texts.tokens);
    this.group.replaceChildren();
    this.buttons = Array.from({ length: data.tokens }, (_, token) => {
      const button = make("button", "", this.group);
      button.type = "button";
      button.dataset.token = token;
      button.tabIndex = token ? -1 : 0;
      button.setAttribute("aria-label", tokenName(data, token));
      button.setAttribute("aria-pressed", "false");
      return button;
    });
    this.stop = 0;
    this.pointed = null;
  }

  /** Put the buttons on what they stand for. */
  place({ patches, embed }, data, stagesBox) {
    const prefix = data.prefix_names.length;
    this.buttons.forEach((button, token) => {
      const box =
        token < prefix ? rowBox(embed, token, data.tokens) : patchBox(patches, data, token - prefix, 1);
      Object.assign(button.style, {
        left: `${box.x - stagesBox.x}px`,
        top: `${box.y - stagesBox.y}px`,
        width: `${box.width}px`,
        height: `${box.height}px`,
      });
    });
  }

  under(event) {
    const { layout, data } = this.home;
    if (!layout || !data) return null;
    const origin = this.home.root.getBoundingClientRect();
    return tokenAt(layout, data, event.clientX - origin.x, event.clientY - origin.y);
  }

  point(token, says = false) {
    if (token === this.pointed) return;
    this.pointed = token;
    this.home.followChanged(says);
  }

  /** Keep a token, or let the kept one go; the server is told. */
  choose(token) {
    this.keep(token === this.kept ? null : token);
    this.home.tell({ query: this.kept });
    this.home.followChanged(true);
  }

  /** Show what is kept. */
  keep(token) {
    this.buttons?.[this.kept]?.setAttribute("aria-pressed", "false");
    this.kept = token;
    this.buttons?.[token]?.setAttribute("aria-pressed", "true");
  }

  rove(token) {
    this.buttons[this.stop].tabIndex = -1;
    this.stop = token;
    this.buttons[token].tabIndex = 0;
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const to = neighbour(this.stop, event.key, this.home.data);
    if (to === null) return;
    event.preventDefault();
    this.rove(to);
    this.buttons[to].focus({ focusVisible: true });
  }
}
