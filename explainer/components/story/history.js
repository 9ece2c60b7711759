// The screen in the address: the browser's Back and Forward turn screens without asking the server.

function screenInAddress(count) {
  const number = Number(new URLSearchParams(location.search).get("screen") ?? NaN);
  return Number.isInteger(number) && number >= 1 && number <= count ? number : null;
}

/** The address with a screen, at the end as the server writes it, and whether it is presented. */
function addressOf(screen, isPresented = false) {
  const others = location.search
    .replace(/^\?/, "")
    .split("&")
    .filter((part) => part && !part.startsWith("screen=") && !part.startsWith("present="));
  if (isPresented) others.push("present=1");
  if (screen > 1) others.push(`screen=${screen}`);
  return `${location.pathname}${others.length ? "?" : ""}${others.join("&")}${location.hash}`;
}

/** Write the screen, in the address and in the state: as a new entry of the history, or in place of the one that is there. */
function writeAddress(screen, isNew, isPresented) {
  const address = addressOf(screen, isPresented);
  const isSame = address === `${location.pathname}${location.search}${location.hash}`;
  const state = { story: screen, present: Boolean(isPresented) };
  if (isSame && history.state?.story === screen && history.state.present === state.present) return;
  const write = isNew && !isSame ? History.prototype.pushState : History.prototype.replaceState;
  write.call(history, state, "", address);
}
