// The line of a class's room: what a page tells the room, and the room's news. When the connection is lost, it
// comes back by itself, and says again what was not answered; the room takes a repeat as the same.

const LINE_PAUSES = [300, 600, 1200, 2500, 5000]; // milliseconds until each next try
const LINE_ENDS = { 4404: "ended", 4403: "refused" }; // after which no try would help

class ClassroomLine {
  /**
   * ``onSeen`` hears how the room is, ``onState`` how the line is: "connecting", "open", or {name, sentence} with
   * the name "ended" or "refused". ``onWelcome`` hears once a connection what this browser has answered before.
   */
  constructor(address, ticket, onSeen, onState = () => {}, onWelcome = () => {}) {
    Object.assign(this, { address, ticket, onSeen, onState, onWelcome });
    this.number = 0;
    this.tries = 0;
    this.waiting = new Map(); // number → { text, take, refuse, isNow } of what has no answer yet
    this.sentence = "";
    this.open();
  }

  open() {
    this.onState("connecting");
    const url = new URL(this.address, document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.search = url.hash = "";
    const socket = (this.socket = new WebSocket(url));
    this.isOpen = false;
    socket.onopen = () => socket.send(JSON.stringify({ ticket: this.ticket }));
    socket.onmessage = ({ data }) => socket === this.socket && this.hear(JSON.parse(data));
    socket.onclose = ({ code }) => socket === this.socket && this.lose(code);
  }

  hear(message) {
    if (message.welcome) {
      this.isOpen = true;
      this.tries = 0;
      this.onState("open");
      this.onWelcome(message.welcome);
      for (const { text } of this.waiting.values()) this.socket.send(text);
    } else if (message.seen) this.onSeen(message.seen);
    else if (message.ended || message.refused) this.sentence = message.ended || message.refused;
    else this.settle(message);
  }

  settle({ id, error, ...answer }) {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) asked?.refuse(new Error(error));
    else asked?.take(answer);
  }

  lose(code) {
    this.isOpen = false;
    if (this.isClosed) return;
    for (const [id, { isNow }] of this.waiting) if (isNow) this.settle({ id });
    const name = LINE_ENDS[code];
    if (name) {
      this.isClosed = true;
      this.refuseAll();
      this.onState({ name, sentence: this.sentence });
      return;
    }
    const pause = LINE_PAUSES[Math.min(this.tries++, LINE_PAUSES.length - 1)];
    this.onState("connecting");
    // not all pages of a class at the same moment
    this.pause = setTimeout(() => this.open(), pause * (0.5 + Math.random()));
  }

  /**
   * Ask for one thing; the promise is kept once the room has it, after however many connections. What is ``isNow``
   * holds for this connection alone: when that is lost it is not said again, and the promise is kept.
   */
  do(what, fields = {}, isNow = false) {
    if (this.isClosed) return Promise.reject(new Error(this.sentence));
    if (isNow && !this.isOpen) return Promise.resolve({});
    const id = ++this.number;
    return new Promise((take, refuse) => {
      const text = JSON.stringify({ ...fields, id, do: what });
      this.waiting.set(id, { text, take, refuse, isNow });
      if (this.isOpen) this.socket.send(text);
    });
  }

  refuseAll() {
    for (const { refuse } of this.waiting.values()) refuse(new Error(this.sentence));
    this.waiting.clear();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.pause);
    this.refuseAll();
    this.socket.close();
  }
}
