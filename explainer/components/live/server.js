// The same ``ask`` as live.js has, for a model that only the server can run.

const SERVER_LINES = (globalThis[Symbol.for("vit-explainer.server-lines")] ??= new Map());

/** Ask over the line that the component live_server keeps under ``name``. */
function openServerLine(name) {
  const line = serverLine(name);
  const live = openServerLive({ send: (asked) => line.say(asked) });
  line.listeners.add(live.answered);
  const close = () => {
    line.listeners.delete(live.answered);
    live.close();
  };
  return { ...live, close };
}

/** The line of a name; what is said before the component is there, it says when it comes. */
function serverLine(name) {
  if (!SERVER_LINES.has(name)) {
    const line = {
      listeners: new Set(),
      send: null,
      unsaid: null,
      say: (asked) => (line.send ? line.send(asked) : (line.unsaid = asked)),
      connect: (send) => {
        line.send = send;
        if (line.unsaid) send(line.unsaid);
        line.unsaid = null;
      },
    };
    SERVER_LINES.set(name, line);
  }
  return SERVER_LINES.get(name);
}

/** Ask less often, one at a time, and the newest wins.
 *
 * ``send`` takes {id, pixels, edits}, as a trigger of the component can. The component gives what
 * ``observation/live_answer.py`` makes of it, {id, tensors} or {id, error}, to ``answered``, as often as
 * it gets it. An answer that does not come within ``patience`` milliseconds is an error. Pixels and
 * tensors travel as base64.
 */
function openServerLive({ send, every = 250, patience = 15_000 }) {
  let [asked, waiting, last, timer, closed, count] = [null, null, -Infinity, 0, false, 0];
  const settle = (act) => {
    clearTimeout(timer);
    const { resolve, reject } = asked;
    asked = null;
    act(resolve, reject);
    next();
  };
  const next = () => {
    if (asked || !waiting) return;
    clearTimeout(timer);
    const early = last + every - performance.now();
    if (early > 0) {
      timer = setTimeout(next, early);
      return;
    }
    [asked, waiting, last] = [waiting, null, performance.now()];
    timer = setTimeout(() => settle((_, reject) => reject(new Error("the server does not answer"))), patience);
    const { id, pixels, edits } = asked;
    send({ id, pixels: btoa(Array.from(pixels, (value) => String.fromCharCode(value)).join("")), edits });
  };
  const session = Math.random().toString(36).slice(2, 10); // an answer to another component is none to this
  return {
    ready: Promise.resolve(),
    ask: (pixels, edits = {}) =>
      new Promise((resolve, reject) => {
        if (closed) return resolve(null);
        waiting?.resolve(null);
        waiting = { id: `${session}-${count++}`, pixels: pixels.slice(), edits, resolve, reject };
        next();
      }),
    answered: ({ id, tensors, error }) => {
      if (asked?.id !== id) return;
      settle((resolve, reject) => {
        try {
          if (error) throw new Error(error);
          resolve(readTensors(Uint8Array.from(atob(tensors), (letter) => letter.charCodeAt(0))));
        } catch (problem) {
          reject(problem);
        }
      });
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      for (const one of [asked, waiting]) one?.resolve(null);
      asked = waiting = null;
    },
  };
}
