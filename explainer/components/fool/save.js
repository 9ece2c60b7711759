// The picture with its bars and heads as a PNG, and what was changed in words.

class FoolSave {
  constructor(fool, parent) {
    this.fool = fool;
    saveButton(parent, fool.data.save.texts, () => this.take());
  }

  async take() {
    const { fool } = this;
    // the model may still compute what it makes of the last change
    if (fool.now?.edits !== fool.edits) await fool.ask();
    if (fool.now?.edits !== fool.edits) throw new Error("no answer");
    fool.writeAddress();
    const { save } = fool.data;
    const words = [...fool.lines.children].map(({ textContent }) => textContent);
    const isInLink = fool.linkText || !writeEdits(fool.edits);
    const lines = savedLines(isInLink ? save : { ...save, link: "" });
    const about = { title: words.shift(), where: `${save.title} · ${words.join(" ")}`, lines };
    return { blob: await this.laidOut(() => savedPicture(fool.root, about)), name: "fool-it.png" };
  }

  /** Lay out only what is saved, while the copy of it is made, which is at once. */
  laidOut(take) {
    const { root } = this.fool;
    root.classList.add("saved");
    const taken = take();
    root.classList.remove("saved");
    return taken;
  }
}
