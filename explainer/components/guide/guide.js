// Stands where the guide's card begins. The keyboard's focus stays on the button that was pressed.

export default function ({ data: announcement, parentElement }) {
  const status = parentElement.querySelector("span");
  const before = status.textContent;
  if (before === announcement) return;
  status.textContent = announcement;
  // once the parts of the step before have left the page
  if (before) requestAnimationFrame(() => status.scrollIntoView({ block: "start" }));
}
