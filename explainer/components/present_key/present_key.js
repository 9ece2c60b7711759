// Mounted once for all pages; its data says whether the page has a screen of the story about it.

let stop = () => {}; // listening: Streamlit may call this anew without the clean-up of the call before

export default function ({ data: { isHeard }, parentElement, setTriggerValue }) {
  const press = (event) => {
    if (event.defaultPrevented || hasModifier(event) || event.key.toLowerCase() !== "p") return;
    if (!isTypedInto(event.composedPath()[0])) setTriggerValue("pressed", true);
  };
  parentElement.querySelector("i").dataset.heard = isHeard;
  stop();
  stop = () => document.removeEventListener("keydown", press);
  if (isHeard) document.addEventListener("keydown", press);
  return stop;
}
