// The button that was pressed is gone; the focus goes to what came of it, so that a screen reader says
// it and the Tab key goes on from here.

export default function ({ data: { text, kind, fresh }, parentElement }) {
  const verdict = parentElement.querySelector("p");
  verdict.textContent = text;
  verdict.className = kind;
  if (fresh && !verdict.seen) verdict.focus({ preventScroll: true });
  verdict.seen = true;
}
