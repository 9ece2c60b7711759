// One real step of learning, which the server computes when it is asked.

const STEP_PATIENCE = 60_000; // milliseconds until nobody waits for an answer any more
const STEP_AGAIN = 700; // milliseconds until the server is asked again whether it is computed
const STEP_LOST = 2000; // milliseconds after which it is asked again because it has said nothing: a page that
// is drawn anew takes the place of a question

/** Asks over the line ``name``, on which ``observation/learning/asked_step.py`` answers; the newest wins. */
class StepLine {
  constructor(name) {
    this.line = serverLine(name);
    this.session = Math.random().toString(36).slice(2, 10); // an answer to somebody else is none to this
    this.count = 0;
    this.asked = null;
    this.listener = (answer) => this.hear(answer);
    this.line.listeners.add(this.listener);
  }

  /** What a step does that teaches a class: {before, steps}, or null where a newer one was asked for. */
  ask(target) {
    this.settle((resolve) => resolve(null));
    return new Promise((resolve, reject) => {
      const until = setTimeout(() => this.settle((_, fail) => fail(new Error("no answer"))), STEP_PATIENCE);
      this.asked = { id: `${this.session}-${this.count++}`, target, turn: 0, resolve, reject, until };
      this.say();
    });
  }

  say() {
    clearTimeout(this.again);
    this.again = setTimeout(() => this.say(), STEP_LOST);
    const { id, target } = this.asked;
    this.line.say({ id, target, turn: (this.asked.turn += 1) }); // an answer like the last one would not be heard
  }

  hear({ id, wait = null, error, before, steps }) {
    if (this.asked?.id !== id) return;
    clearTimeout(this.again);
    if (wait !== null) this.again = setTimeout(() => this.say(), STEP_AGAIN);
    else if (error) this.settle((_, reject) => reject(new Error(error)));
    else this.settle((resolve) => resolve({ before, steps }));
  }

  settle(act) {
    const { asked } = this;
    if (!asked) return;
    this.asked = null;
    clearTimeout(asked.until);
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
