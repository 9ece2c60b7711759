// Copies a picture that the server draws when the button is pressed.
//
// A browser lets a page write to the clipboard only while it handles a click. So the writing begins
// at once, with the promise of a picture, and the picture follows.

const PATIENCE = 30_000; // milliseconds

export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button");
  const copier = keptFor(button, () => new Copier(button, parentElement.querySelector("span")));
  copier.ask = () => setTriggerValue("asked", performance.now());
  copier.update(unpack(data));
  return () => copier.leave();
}

class Copier {
  constructor(button, status) {
    Object.assign(this, { button, status, waiting: null });
    button.addEventListener("click", () => this.copy());
  }

  update({ texts, arrays }) {
    this.texts = texts;
    setText(this.button, texts.copy);
    if (arrays.png && this.waiting) this.waiting.resolve(new Blob([arrays.png], { type: "image/png" }));
  }

  copy() {
    if (this.waiting) return;
    if (!navigator.clipboard?.write || typeof ClipboardItem === "undefined") {
      setText(this.status, this.texts.cannot);
      return;
    }
    setText(this.status, this.texts.working);
    const picture = new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
    this.timer = setTimeout(() => this.waiting?.reject(new Error("no picture came")), PATIENCE);
    const done = (text) => {
      clearTimeout(this.timer);
      this.waiting = null;
      setText(this.status, text);
    };
    navigator.clipboard
      .write([new ClipboardItem({ "image/png": picture })])
      .then(() => done(this.texts.copied), () => done(this.texts.cannot));
    picture.catch(() => {}); // the clipboard has heard of it
    this.ask();
  }

  leave() {
    clearTimeout(this.timer);
    this.waiting?.reject(new Error("the button is gone"));
    this.waiting = null;
  }
}
