// Draws the options of an answered question. The button opens what shows the right answer and scrolls
// to it: the contents of a fold or part, or whatever has the key.

const SIGNS = { chosen_right: "✓", right: "✓", chosen_wrong: "✗", other: "" };
const SHOWN_FOR = 2500; // milliseconds
const BAR = "5rem"; // what stands over the page at the top

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

// Return the first of these that the page has now.
function found(classNames) {
  return classNames.map((name) => document.getElementsByClassName(name)[0]).find(Boolean);
}

// Return what stands after the question in the part that it belongs to: a picture before mere text.
function behind(host, part) {
  let card = host;
  while (card.parentElement && card.parentElement !== part) card = card.parentElement;
  const after = [];
  for (let next = card.nextElementSibling; next; next = next.nextElementSibling) {
    if (next.getClientRects().length && next.clientHeight > 1) after.push(next);
  }
  const isText = (one) => one.querySelector("[data-testid=stMarkdown], [data-testid=stHeading]");
  return after.find((one) => one.clientHeight > 80 && !isText(one)) || after[0] || part;
}

// Open the fold that a target is, and those around it; return whether one was closed.
function unfold(target) {
  const own = target.querySelector(":scope > details, :scope > * > details");
  let opened = false;
  for (let fold = own || target.closest("details"); fold; ) {
    if (!fold.open) {
      fold.querySelector("summary").click();
      opened = true;
    }
    fold = fold.parentElement.closest("details");
  }
  return opened;
}

function show(target, host) {
  const isAround = target.contains(host);
  const seen = isAround ? behind(host, target) : target;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const scroll = () => {
    const block = seen.clientHeight < innerHeight / 2 ? "center" : "start";
    seen.scrollIntoView({ behavior: calm ? "auto" : "smooth", block });
  };
  seen.style.scrollMarginTop = BAR;
  if (!isAround && unfold(target)) {
    const filled = new ResizeObserver(scroll); // it is filled once it is open
    filled.observe(seen);
    setTimeout(() => filled.disconnect(), SHOWN_FOR);
  }
  scroll();
  if (!seen.hasAttribute("tabindex")) seen.tabIndex = -1;
  seen.focus({ preventScroll: true });
  const colour = getComputedStyle(host).getPropertyValue("--st-primary-color");
  const frame = { outline: `3px solid ${colour}`, outlineOffset: "4px", borderRadius: "4px" };
  seen.animate([frame, frame], { duration: SHOWN_FOR });
}

export default function ({ data, parentElement }) {
  const { options, states, texts, showMe, fresh, keep } = data;
  const [list, button] = ["ul", "button"].map((tag) => parentElement.querySelector(tag));
  const host = parentElement.host || parentElement;
  list.replaceChildren(
    ...options.map((option, index) => {
      const row = element("li", states[index], "");
      const sign = element("b", "", SIGNS[states[index]]);
      sign.setAttribute("aria-hidden", "true");
      const said = texts[states[index]];
      row.append(sign, element("span", "", option), element("i", "", said ? ` (${said})` : ""));
      return row;
    }),
  );
  const chosen = states.findIndex((state) => state.startsWith("chosen"));
  list.setAttribute("aria-label", `${options[chosen]}: ${texts[states[chosen]]}`);
  button.textContent = texts.show_me;
  button.hidden = !showMe.length;
  button.onclick = () => {
    const target = found(showMe);
    if (target) show(target, host);
  };
  if (fresh && !list.seen) list.focus({ preventScroll: true });
  list.seen = true;
  keepInStore(keep);
}
