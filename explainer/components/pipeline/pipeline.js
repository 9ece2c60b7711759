// The picture comes as HTML, written and escaped by the server; this only follows its links inside
// the running app. A click that asks for a new tab stays the browser's.

export default function ({ data: html, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pipeline");
  if (root.painted !== html) {
    root.innerHTML = html;
    root.painted = html;
  }
  root.onclick = (event) => {
    const link = event.target.closest("a[data-view]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    setTriggerValue("view", link.dataset.view);
  };
}
