// What the server computes when a screen asks for it: one real step of learning, or a map of pictures.

const ASKED_PATIENCE = 60_000; // milliseconds until nobody waits for an answer any more
const ASKED_AGAIN = 700; // milliseconds until the server is asked again whether it is computed
const ASKED_LOST = 2000; // milliseconds after which it is asked again because it has said nothing: a page that
// is drawn anew takes the place of a question

/** Asks over the line ``name``, on which the server answers in its time; the newest question wins. */
class AskedLine {
  constructor(name) {
    this.line = serverLine(name);
    this.session = Math.random().toString(36).slice(2, 10); // an answer to somebody else is none to this
    this.count = 0;
    this.asked = null;
    this.listener = (answer) => this.hear(answer);
    this.line.listeners.add(this.listener);
  }

  /**
   * What the server answers to a question, or null where a newer one was asked. ``onWait`` hears what it
   * says of how far it is.
   */
  ask(question, onWait = () => {}) {
    this.settle((resolve) => resolve(null));
    return new Promise((resolve, reject) => {
      this.asked = { id: `${this.session}-${this.count++}`, question, turn: 0, resolve, reject, onWait };
      this.expect();
      this.say();
    });
  }

  /** Give up where nothing is heard for long. */
  expect() {
    clearTimeout(this.until);
    this.until = setTimeout(() => this.settle((_, fail) => fail(new Error("no answer"))), ASKED_PATIENCE);
  }

  say() {
    clearTimeout(this.again);
    this.again = setTimeout(() => this.say(), ASKED_LOST);
    const { id, question } = this.asked;
    this.line.say({ ...question, id, turn: (this.asked.turn += 1) }); // an answer like the last one would not be heard
  }

  hear({ id, wait = null, error, ...answer }) {
    if (this.asked?.id !== id) return;
    clearTimeout(this.again);
    this.expect();
    if (wait !== null) {
      this.again = setTimeout(() => this.say(), ASKED_AGAIN);
      this.asked.onWait(answer);
    } else if (error) this.settle((_, reject) => reject(new Error(error)));
    else this.settle((resolve) => resolve(answer));
  }

  settle(act) {
    const { asked } = this;
    if (!asked) return;
    this.asked = null;
    clearTimeout(this.until);
    clearTimeout(this.again);
    act(asked.resolve, asked.reject);
  }

  close() {
    this.line.listeners.delete(this.listener);
    this.settle((resolve) => resolve(null));
  }
}

/** The loss of each name, −ln of its share in nats; it does not become 0 where a name is nearly certain. */
function lossesOf(logits) {
  return Float64Array.from(logits, (logit, target) => {
    let others = 0;
    let largest = -Infinity;
    for (let at = 0; at < logits.length; at++) if (at !== target) largest = Math.max(largest, logits[at] - logit);
    for (let at = 0; at < logits.length; at++) if (at !== target) others += Math.exp(logits[at] - logit - largest);
    const above = largest + Math.log(others); // ln of what all others have for each part of this one
    return above === -Infinity ? 0 : above > 0 ? above + Math.log1p(Math.exp(-above)) : Math.log1p(Math.exp(above));
  });
}
