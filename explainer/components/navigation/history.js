// Runs before Streamlit's own code, too: the empty page brings it (shell/opening.py).

const MINE = Symbol.for("vit_explainer.navigation");

/**
 * Let a choice on a page replace the entry of the browser's history, and only a new page add one. The
 * story adds its screens past this, by History.prototype, and keeps its screen in what the server
 * writes, by a function from address to address: history[Symbol.for("vit_explainer.story")].
 */
function keepHistoryShort() {
  if (history[MINE]) return;
  history[MINE] = true;
  const push = history.pushState;
  history.pushState = function (state, unused, address) {
    const now = new URL(location.href);
    const next = new URL(address ?? now, now);
    if (next.pathname !== now.pathname) push.call(this, state, unused, address);
    else {
      const kept = history[Symbol.for("vit_explainer.story")]?.(next) ?? address;
      history.replaceState.call(this, state, unused, kept);
    }
  };
}
