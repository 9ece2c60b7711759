// Stands where the guide's card begins. The keyboard's focus stays on the button that was pressed.

export default function ({ data: said, parentElement }) {
  const status = parentElement.querySelector("span");
  const before = status.textContent;
  if (before === said) return;
  status.textContent = said;
  // once the parts of the step before have left the page
  if (before) requestAnimationFrame(() => status.scrollIntoView({ block: "start" }));
}
