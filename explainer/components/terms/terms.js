// Opens a word's explanation when it is pointed at, has the keyboard's focus or is clicked, and closes
// it with Escape or a click elsewhere. A click that asks for a new tab stays the browser's.

const WAIT = 150; // milliseconds that a pointer rests on a word before it opens
const GAP = 6; // pixels between a word and its explanation

export default function ({ data, parentElement }) {
  const gloss = parentElement.querySelector("#gloss");
  gloss.data = data;
  if (gloss.listening) return gloss.leave;
  gloss.listening = true;
  const stop = new AbortController();
  let word = null; // the link whose explanation is open
  let pinned = false; // by a click; pointing elsewhere does not close it
  let timer = 0;

  // of an event, which may come from a word in a component's own tree
  const termOf = (event) => {
    const target = event.composedPath()[0];
    const link = target instanceof Element && target.closest(`a[href^="${gloss.data.address}#"]`);
    return link && gloss.data.glosses[keyOf(link)] ? link : null;
  };
  const keyOf = (link) => link.getAttribute("href").split("#")[1];

  function open(link) {
    if (word !== link) close();
    word = link;
    const [name, text, picture] = gloss.data.glosses[keyOf(link)];
    gloss.innerHTML = picture; // the app's own drawing
    const title = document.createElement("b");
    title.textContent = name;
    gloss.append(title, text);
    gloss.classList.add("open");
    if (gloss.showPopover && !gloss.matches(":popover-open")) gloss.showPopover();
    link.setAttribute("aria-describedby", "gloss");
    place();
  }

  function place() {
    const first = word.getClientRects()[0];
    if (!first) return close();
    const { offsetWidth: width, offsetHeight: height } = gloss;
    const left = Math.max(8, Math.min(first.left, innerWidth - width - 8));
    const below = first.bottom + GAP + height < innerHeight || first.top < height + GAP;
    gloss.style.left = `${left}px`;
    gloss.style.top = `${below ? first.bottom + GAP : first.top - GAP - height}px`;
  }

  function close() {
    clearTimeout(timer);
    if (!word) return;
    word.removeAttribute("aria-describedby");
    word = null;
    pinned = false;
    if (gloss.hidePopover && gloss.matches(":popover-open")) gloss.hidePopover();
    gloss.classList.remove("open");
  }

  const listen = (type, act, options) =>
    document.addEventListener(type, act, { signal: stop.signal, ...options });

  listen(
    "click",
    (event) => {
      const link = termOf(event);
      if (!link) {
        if (!gloss.contains(event.target)) close();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      event.stopPropagation();
      if (word === link && pinned) return close();
      open(link);
      pinned = true;
    },
    { capture: true },
  );
  listen("focusin", (event) => {
    const link = termOf(event);
    if (link && link.matches(":focus-visible")) open(link);
    else if (!link && !pinned) close();
  });
  listen("pointerover", (event) => {
    if (event.pointerType === "touch" || pinned) return;
    const { target } = event;
    const link = termOf(event);
    clearTimeout(timer);
    if (link && link !== word) timer = setTimeout(() => open(link), WAIT);
    else if (!link && word && !gloss.contains(target) && document.activeElement !== word)
      timer = setTimeout(close, WAIT);
  });
  listen(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || !word) return;
      event.stopPropagation();
      close();
    },
    { capture: true },
  );
  listen("scroll", () => word && place(), { capture: true, passive: true });

  gloss.leave = () => {
    close();
    stop.abort();
    gloss.listening = false;
  };
  return gloss.leave;
}
