// Asks a model for its pass over a picture, as often as a pen moves.
//
//     const live = openLive(model);                    // what browser_model() gave to the component
//     const trace = await live.ask(pixels, edits);     // pixels: uint8, (height, width, channels)
//     if (trace) draw(trace.get("logits").data);       // Map of name → {shape, data: Float32Array}
//     live.close();                                    // in the component's clean-up
//
// The pass runs in a worker (worker.js, vit.js): one for each model, whoever asks, and it ends when
// nobody has had it open for a moment. The names and shapes are those of vit_core's trace, without the
// batch axis; vit.js says which ``edits`` there are. A trace that was handed out is never written to
// again.
//
// Newest wins: of several pictures that wait for the worker only the last is computed, and the promises
// of the others resolve to null, as do all that still wait at ``close``. A pass that runs is finished
// and drawn; else a pen that is faster than the model would see nothing until it rests.
//
// ``ask`` rejects, with an Error that says why, where the browser has no worker or may not start one,
// the weights do not arrive, or the edits do not fit. ``await live.ready`` tells it beforehand. The
// caller then leaves the answer to the server: server.js has the same ``ask`` for that, and for models
// that are too large for a browser (``browser_model()`` is then None).

const LIVE_LINGER = 3000; // milliseconds that a worker waits for its next user
const LIVE_PAUSES = [300, 1200]; // milliseconds before the weights are asked for again
const LIVE_STORE = "vit-explainer.weights";
const LIVE_KEPT = 6; // models' weights that are kept

const LIVE = (globalThis[Symbol.for("vit-explainer.live")] ??= { engines: new Map(), weights: new Map() });

/** Open a model of browser_model(): {address, hash, config}. */
function openLive({ address, hash, config }) {
  let engine = LIVE.engines.get(hash);
  if (!engine) LIVE.engines.set(hash, (engine = new Engine(hash, address, config)));
  return engine.open();
}

/** One worker with its model, and all that have it open. */
class Engine {
  constructor(hash, address, config) {
    this.hash = hash;
    this.users = new Set(); // in the order in which their turns come
    this.busy = null; // what the worker computes now: {user, resolve, reject}
    this.isLoaded = false;
    this.ready = this.start(address, config);
    this.ready.then(
      () => this.next(),
      (error) => this.end(error),
    );
  }

  /** Start the worker while the weights are on their way, and wait until it has them. */
  async start(address, config) {
    if (typeof Worker === "undefined") throw new Error("this browser has no workers");
    const source = URL.createObjectURL(new Blob([LIVE_WORKER], { type: "text/javascript" }));
    try {
      const worker = (this.worker = new Worker(source)); // throws where the page may not start one
      const failed = new Promise((_, reject) => {
        worker.onerror = (event) => reject(new Error(event.message || "the worker could not be started"));
      });
      const bytes = await Promise.race([weightsOf(this.hash, address), failed]);
      worker.postMessage({ bytes, config });
      const answer = new Promise((resolve) => (worker.onmessage = (event) => resolve(event.data)));
      const { error } = await Promise.race([answer, failed]);
      if (error) {
        forgetWeights(this.hash); // what was kept may be damaged
        throw new Error(error);
      }
      worker.onmessage = ({ data }) => this.answered(data);
      worker.onerror = (event) => this.end(new Error(event.message || "the worker ended"));
      this.isLoaded = true;
    } finally {
      URL.revokeObjectURL(source);
    }
  }

  open() {
    clearTimeout(this.lingering);
    const user = { waiting: null };
    this.users.add(user);
    return {
      ready: this.ready,
      ask: (pixels, edits = {}) => this.ask(user, pixels, edits),
      close: () => this.close(user),
    };
  }

  ask(user, pixels, edits) {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      if (!this.users.has(user)) return resolve(null);
      user.waiting?.resolve(null);
      user.waiting = { user, pixels: pixels.slice(), edits, resolve, reject };
      this.next();
    });
  }

  close(user) {
    user.waiting?.resolve(null);
    user.waiting = null;
    if (this.users.delete(user) && !this.users.size) {
      this.lingering = setTimeout(() => this.end(null), LIVE_LINGER);
    }
  }

  /** Give the worker the next picture, unless it is at work. */
  next() {
    if (this.busy || !this.isLoaded) return;
    const user = Array.from(this.users).find(({ waiting }) => waiting);
    if (!user) return;
    const { pixels, edits, reject } = (this.busy = user.waiting);
    user.waiting = null;
    this.users.delete(user); // to the end: the next turn is somebody else's
    this.users.add(user);
    try {
      this.worker.postMessage({ pixels, edits });
    } catch (error) {
      this.busy = null; // no message can hold these edits
      reject(error);
      this.next();
    }
  }

  answered({ trace, error }) {
    const { user, resolve, reject } = this.busy;
    this.busy = null;
    if (!this.users.has(user)) resolve(null);
    else if (error) reject(new Error(error));
    else resolve(trace);
    this.next();
  }

  /** End the worker. After an error all who wait are told, and whoever opens the model next tries anew. */
  end(error) {
    this.failure = error;
    this.isLoaded = false;
    this.worker?.terminate();
    if (LIVE.engines.get(this.hash) === this) LIVE.engines.delete(this.hash);
    const waiting = Array.from(this.users, (user) => user.waiting);
    this.users.clear();
    for (const asked of [this.busy, ...waiting]) {
      if (error) asked?.reject(error);
      else asked?.resolve(null);
    }
    this.busy = null;
  }
}

/** A model's file, fetched once and kept by its hash: in the browser's cache, else for this page. */
async function weightsOf(hash, address) {
  if (LIVE.weights.has(hash)) return LIVE.weights.get(hash);
  const store = await storeOfWeights();
  const kept = await store?.match(keyOfWeights(hash));
  if (kept) return kept.arrayBuffer();
  const bytes = await fetchWeights(inApp(address));
  try {
    await store.put(keyOfWeights(hash), new Response(bytes.slice()));
    const older = (await store.keys()).slice(0, -LIVE_KEPT);
    await Promise.all(older.map((key) => store.delete(key)));
  } catch {
    // no cache, as in a page without https, or no room in it
    LIVE.weights.set(hash, bytes);
    if (LIVE.weights.size > LIVE_KEPT) LIVE.weights.delete(LIVE.weights.keys().next().value);
  }
  return bytes;
}

/** Fetch a model's file. While a page is drawn anew the server may miss it for a moment. */
async function fetchWeights(address, pauses = LIVE_PAUSES) {
  const response = await fetch(address);
  if (response.ok) return response.arrayBuffer();
  if (!pauses.length) throw new Error(`the model's weights did not arrive (${response.status})`);
  await new Promise((resolve) => setTimeout(resolve, pauses[0]));
  return fetchWeights(address, pauses.slice(1));
}

async function storeOfWeights() {
  try {
    return await caches.open(LIVE_STORE);
  } catch {
    return null;
  }
}

function keyOfWeights(hash) {
  return inApp(`live-weights/${hash}`);
}

async function forgetWeights(hash) {
  LIVE.weights.delete(hash);
  await (await storeOfWeights())?.delete(keyOfWeights(hash));
}

/** An address below the app's own, which a proxy or a setting may have put below a path. */
function inApp(address) {
  const script = document.querySelector('script[src*="static/js/"]');
  const home = script ? new URL("../../", script.src) : document.baseURI;
  return new URL(address.replace(/^\//, ""), home).href;
}
