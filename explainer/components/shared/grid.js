// The image with a button on every patch, and the tokens that are no patch above it.

/** What a token is called. */
function tokenName(data, token) {
  if (token < data.prefix_names.length) return data.prefix_names[token];
  const patch = token - data.prefix_names.length;
  const row = Math.floor(patch / data.columns) + 1;
  return fill(data.texts.patch, { row, column: (patch % data.columns) + 1 });
}

/**
 * Build the buttons: one tab stop for all, arrow keys move between them (roving tabindex).
 *
 * ``look(token | null)`` is called when a token is pointed at or left, ``choose(token)`` when it is clicked.
 */
function tokenGrid(parent, data, { look, choose }) {
  const numPrefix = data.prefix_names.length;
  const group = make("div", "tokens", parent);
  group.role = "group";
  group.setAttribute("aria-label", data.texts.grid_label);
  const chips = numPrefix ? make("div", "chips", group) : null;
  const picture = make("div", "picture", group);
  picture.style.aspectRatio = `${data.image_width} / ${data.image_height}`;
  const base = make("canvas", "base", picture);
  const overlay = make("canvas", "overlay pixelated", picture);
  const cells = make("div", "cells", picture);
  cells.style.gridTemplate = `repeat(${data.rows}, 1fr) / repeat(${data.columns}, 1fr)`;

  const buttons = [];
  for (let token = 0; token < numPrefix + data.rows * data.columns; token++) {
    const isPatch = token >= numPrefix;
    const button = make("button", isPatch ? "cell" : "chip", isPatch ? cells : chips);
    button.type = "button";
    button.dataset.token = token;
    button.tabIndex = -1;
    button.setAttribute("aria-pressed", "false");
    if (isPatch) button.setAttribute("aria-label", tokenName(data, token));
    else {
      make("span", "swatch", button);
      make("span", "name", button, tokenName(data, token));
      make("span", "value", button);
    }
    buttons.push(button);
  }
  buttons[0].tabIndex = 0;

  let stop = 0; // the button that Tab reaches
  let chosen = 0;
  const tokenOf = (event) => {
    // a finger keeps the element that it touched first, so ask for the one under it now
    const under =
      event.pointerType === "touch"
        ? parent.getRootNode().elementFromPoint(event.clientX, event.clientY)
        : event.target;
    const token = under?.closest?.("button")?.dataset.token;
    return token === undefined ? null : Number(token);
  };
  const roveTo = (token) => {
    buttons[stop].tabIndex = -1;
    stop = token;
    buttons[stop].tabIndex = 0;
  };
  const pointed = (event) => {
    const token = tokenOf(event);
    if (token !== null) look(token);
  };
  group.addEventListener("pointerover", pointed);
  group.addEventListener("pointermove", (event) => event.pointerType === "touch" && pointed(event));
  group.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && look(null));
  group.addEventListener("focusin", (event) => {
    if (!event.target.matches(":focus-visible")) return;
    roveTo(Number(event.target.dataset.token));
    look(stop, true);
  });
  group.addEventListener("focusout", (event) => {
    if (!group.contains(event.relatedTarget)) look(null);
  });
  group.addEventListener("click", (event) => {
    const token = tokenOf(event) ?? Number(event.target.closest("button")?.dataset.token);
    if (!Number.isInteger(token)) return;
    roveTo(token);
    choose(token);
  });
  group.addEventListener("keydown", (event) => {
    const to = neighbour(stop, event.key, data);
    if (to === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    roveTo(to);
    buttons[to].focus({ focusVisible: true });
  });

  let active = null;
  return {
    base,
    overlay,
    buttons,
    /** Mark the token that is pointed at and the one that is chosen. */
    mark(nowActive, nowChosen) {
      if (active !== null) buttons[active].classList.remove("active");
      active = nowActive;
      buttons[active].classList.add("active");
      if (nowChosen === chosen && buttons[chosen].ariaPressed === "true") return;
      buttons[chosen].setAttribute("aria-pressed", "false");
      chosen = nowChosen;
      buttons[chosen].setAttribute("aria-pressed", "true");
      if (!group.contains(parent.getRootNode().activeElement)) roveTo(chosen);
    },
  };
}

/** Where a key leads from a token; null where it leads nowhere. */
function neighbour(token, key, { rows, columns, prefix_names: { length: numPrefix } }) {
  const last = numPrefix + rows * columns - 1;
  const patch = token - numPrefix;
  if (key === "Home") return patch < 0 ? 0 : token - (patch % columns);
  if (key === "End") return patch < 0 ? Math.max(numPrefix - 1, 0) : token - (patch % columns) + columns - 1;
  if (key === "ArrowLeft") return Math.max(token - 1, 0);
  if (key === "ArrowRight") return Math.min(token + 1, last);
  if (key === "ArrowDown") return patch < 0 ? numPrefix : token + columns <= last ? token + columns : token;
  if (key === "ArrowUp") return patch < 0 ? token : patch < columns ? (numPrefix ? 0 : token) : token - columns;
  return null;
}

/** Text for screen readers, a moment after the last change so that held keys do not flood it. */
function announcer(parent) {
  const region = make("div", "announcement", parent);
  region.setAttribute("aria-live", "polite");
  region.role = "status";
  let timer = 0;
  return (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => setText(region, text), 250);
  };
}
