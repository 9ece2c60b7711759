// The list comes as HTML, written and escaped by the server. A link to a word (glossary#head) brings that
// word into sight; links to pages are followed inside the running app.

const PATIENCE = 6500; // milliseconds in which a page that opens is still hidden

/** Bring a word into sight and give it the focus, as soon as the page is shown. */
function turnTo(word, until = performance.now() + PATIENCE) {
  word.scrollIntoView({ block: "center" });
  word.focus({ preventScroll: true });
  const isThere = word.getRootNode().activeElement === word;
  if (isThere || !word.isConnected || performance.now() > until) return;
  requestAnimationFrame(() => turnTo(word, until));
}

export default function ({ data: { html }, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".list");
  if (root.painted !== html) {
    root.innerHTML = html;
    root.painted = html;
    const asked = root.querySelector(`[id="${CSS.escape(location.hash.slice(1))}"]`);
    if (asked) {
      asked.classList.add("asked");
      turnTo(asked);
    }
  }
  root.onclick = (event) => {
    const link = event.target.closest("a[data-view]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    setTriggerValue("view", link.dataset.view);
  };
}
