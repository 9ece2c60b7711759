// Streamlit calls this at every change of theme. Asks once for each change, so that a server that
// does not hear of it is not asked without end.

const asked = new WeakMap();

export default function ({ data: { drawn }, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("i");
  const shown = getComputedStyle(root).colorScheme.includes("dark") ? "dark" : "light";
  document.documentElement.classList.toggle("is-dark", shown === "dark");
  if (shown === drawn) {
    asked.delete(root); // a run for the other theme may still be on its way
  } else if (asked.get(root) !== shown) {
    asked.set(root, shown);
    setTriggerValue("mode", shown);
  }
}
