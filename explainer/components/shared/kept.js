// Streamlit calls a component again at each run of the page, with the same element for as long as
// that stays. What the component made for it is kept here.

const keptObjects = new WeakMap();

/** Return an element's object: what ``make`` returned when it was first asked for. */
function keptFor(element, make) {
  let kept = keptObjects.get(element);
  if (!kept) keptObjects.set(element, (kept = make()));
  return kept;
}

/** Forget an element's object, so that the next call makes another. */
function forget(element) {
  keptObjects.delete(element);
}

/** Let one object of a class live in ``.panels``, and hear each run's data (see packing.py). */
function mounted(Kind, { data: bytes, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".panels");
  const one = keptFor(root, () => new Kind(root));
  one.setStateValue = setStateValue;
  one.update(unpack(bytes));
  return () => one.leave();
}
