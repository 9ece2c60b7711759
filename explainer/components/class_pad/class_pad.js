// A pupil's pad: draw the digit that is asked for, send it, and the next one is asked for.

const CLASS_PAD_SIDE = 112; // of a drawing, from which its 28 × 28 grey values are made, as of any drawing
const CLASS_PAD_LEAVE = 300; // milliseconds after which a pad that was taken away has ended

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".class-pad");
  const one = keptFor(root, () => new ClassPad(root, data));
  one.stay(data);
  return () => one.leave();
}

/** The pad itself, whose drawing leaves the browser only with the button. */
class QuietPad extends Pad {
  constructor(root, texts) {
    super(root, texts);
    this.side = CLASS_PAD_SIDE;
  }

  inked() {
    this.onInk?.();
  }

  hand() {}

  empty() {
    clearTimeout(this.timer);
    this.strokes = [];
    this.paint();
  }
}

class ClassPad {
  constructor(root, { texts, digits, sent }) {
    Object.assign(this, { root, texts, digits, at: sent, isOpen: false, isSending: false });
    this.order = make("p", "order", root);
    this.place = make("div", "pad", root);
    this.pad = new QuietPad(this.place, texts.pad);
    this.pad.onInk = () => this.show();
    this.pad.empty();
    this.button = make("button", "send", root, texts.send);
    this.button.type = "button";
    this.button.addEventListener("click", () => this.send());
    this.said = make("p", "said", root);
    this.said.role = "status";
    this.show();
  }

  stay({ ticket, address }) {
    clearTimeout(this.leaving);
    if (this.ticket === ticket && this.line) return;
    this.line?.close();
    this.ticket = ticket;
    this.line = new ClassroomLine(
      address,
      ticket,
      (seen) => this.see(seen),
      (state) => this.connected(state),
    );
  }

  leave() {
    // Streamlit also calls this before it draws the same element again
    this.leaving = setTimeout(() => {
      this.line?.close();
      this.line = null;
    }, CLASS_PAD_LEAVE);
  }

  see({ digits_open: isOpen }) {
    this.isOpen = Boolean(isOpen);
    this.show();
  }

  connected(state) {
    if (state.sentence) {
      this.isOpen = false; // the class has ended
      this.say(state.sentence);
      this.show();
    } else if (state === "connecting") this.say(this.texts.connecting);
    else if (this.said.textContent === this.texts.connecting) this.say("");
  }

  get isDone() {
    return this.at >= this.digits.length;
  }

  show() {
    if (!this.button) return;
    const { texts, isOpen, isDone } = this;
    const asksNow = isOpen && !isDone;
    this.place.hidden = this.button.hidden = !asksNow;
    this.button.disabled = this.isSending || this.pad.isEmpty();
    if (isDone) setText(this.order, fill(texts.done, { most: this.digits.length }));
    else setText(this.order, isOpen ? fill(texts.draw, { digit: this.digits[this.at] }) : texts.closed);
  }

  async send() {
    const pixels = centred(this.pad.ink(), CLASS_PAD_SIDE);
    if (this.isSending || !pixels.some(Boolean)) return;
    this.isSending = true;
    this.show();
    try {
      await this.line.do("draw", {
        pixels: btoa(String.fromCharCode(...pixels)),
        label: this.digits[this.at],
      });
      this.at += 1;
      this.pad.empty();
      this.say(this.isDone ? "" : this.texts.sent);
    } catch (error) {
      this.say(error.message || this.texts.failed);
    }
    this.isSending = false;
    this.show();
  }

  say(text) {
    setText(this.said, text);
  }
}
