// The list comes as HTML, written and escaped by the server. A link to a word (glossary#head) brings that
// word into sight; links to pages are followed inside the running app.

export default function ({ data: html, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".list");
  if (root.painted !== html) {
    root.innerHTML = html;
    root.painted = html;
    const asked = root.querySelector(`[id="${CSS.escape(location.hash.slice(1))}"]`);
    if (asked) {
      asked.classList.add("asked");
      asked.scrollIntoView({ block: "center" });
      asked.focus({ preventScroll: true });
    }
  }
  root.onclick = (event) => {
    const link = event.target.closest("a[data-view]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    setTriggerValue("view", link.dataset.view);
  };
}
