// Stands where the guide's card begins. The keyboard's focus stays on the button that was pressed.

export default function ({ data: said, parentElement }) {
  const status = parentElement.querySelector("span");
  const before = status.textContent;
  if (before === said) return;
  status.textContent = said;
  if (!before) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  status.scrollIntoView({ block: "start", behavior: calm ? "instant" : "smooth" });
}
