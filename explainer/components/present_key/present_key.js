// Mounted once for all pages; its data is whether the page has a screen of the story about it.

export default function ({ data: isHeard, parentElement, setTriggerValue }) {
  const press = (event) => {
    if (event.defaultPrevented || hasModifier(event) || event.key.toLowerCase() !== "p") return;
    if (!isTypedInto(event.composedPath()[0])) setTriggerValue("pressed", true);
  };
  parentElement.querySelector("i").dataset.heard = isHeard;
  if (isHeard) document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
