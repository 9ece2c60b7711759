// Stands at the top of a page. The keyboard's focus stays on the button that was pressed.

export default function ({ data: { announcement }, parentElement }) {
  const status = parentElement.querySelector("span");
  const before = status.textContent;
  if (before === announcement) return;
  status.textContent = announcement;
  // once what stood there before has left the page
  if (before) requestAnimationFrame(() => status.scrollIntoView({ block: "start" }));
}
