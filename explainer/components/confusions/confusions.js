// The cells of a table as buttons: Tab reaches the chosen one, arrow keys go on to the next one
// with pictures in their direction, Enter chooses.

const WAYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export default function ({ data, parentElement, setStateValue }) {
  const room = parentElement.querySelector(".confusions");
  if (room.table !== data.table) {
    room.table = data.table;
    room.innerHTML = data.table; // names are escaped where it is made
  }
  const buttons = [...room.querySelectorAll("button")];
  const placeOf = (button) => button.dataset.cell.split(".").map(Number);
  const isAt = (button, place) => String(placeOf(button)) === String(place);
  const mark = (chosen) => {
    const reached = buttons.find((button) => chosen && isAt(button, chosen)) ?? buttons[0];
    buttons.forEach((button) => {
      button.ariaPressed = String(Boolean(chosen) && isAt(button, chosen));
      button.tabIndex = button === reached ? 0 : -1;
    });
  };
  mark(data.chosen);

  room.onclick = (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const [row, column] = placeOf(button);
    mark([row, column]);
    // the time makes choosing the same cell again a change
    setStateValue("choice", { row, column, at: performance.now() });
  };
  room.onkeydown = (event) => {
    const button = event.target.closest("button");
    if (!button || !(event.key in WAYS) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [down, right] = WAYS[event.key];
    const [row, column] = placeOf(button);
    const ahead = ([r, c]) => (r - row) * down + (c - column) * right;
    const aside = ([r, c]) => Math.abs((r - row) * right) + Math.abs((c - column) * down);
    const next = buttons
      .map((one) => [one, ahead(placeOf(one)), aside(placeOf(one))])
      .filter(([, steps]) => steps > 0)
      .sort((one, two) => one[2] - two[2] || one[1] - two[1])[0];
    if (!next) return;
    buttons.forEach((one) => (one.tabIndex = one === next[0] ? 0 : -1));
    next[0].focus({ focusVisible: true });
  };
}
