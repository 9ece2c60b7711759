// Small pictures as one group of radio buttons: Tab reaches the chosen one, arrows go on from there.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

export default function ({ data, parentElement, setStateValue }) {
  const group = parentElement.querySelector(".thumbnails");
  group.setAttribute("aria-label", data.label);
  group.style.setProperty("--columns", data.columns);

  const names = JSON.stringify([data.pictures, data.captions]);
  if (group.dataset.names !== names) {
    group.dataset.names = names;
    group.replaceChildren(
      ...data.pictures.map(([address, name], index) => {
        const button = document.createElement("button");
        button.type = "button";
        button.role = "radio";
        button.title = name;
        const image = document.createElement("img");
        image.src = address;
        image.alt = name;
        button.append(image);
        if (data.captions[index]) {
          const caption = document.createElement("span");
          caption.textContent = data.captions[index];
          caption.ariaHidden = "true"; // the picture's name says it, too
          button.append(caption);
        }
        return button;
      }),
    );
  }
  const buttons = [...group.children];
  const mark = (chosen) =>
    buttons.forEach((button, index) => {
      button.ariaChecked = String(index === chosen);
      button.tabIndex = index === (chosen ?? 0) ? 0 : -1;
    });
  const choose = (index) => {
    mark(index);
    // the time makes choosing the same picture again a change
    setStateValue("choice", { index, at: performance.now() });
  };
  mark(data.chosen);

  group.onclick = (event) => {
    const index = buttons.indexOf(event.target.closest("button"));
    if (index >= 0) choose(index);
  };
  group.onkeydown = (event) => {
    const steps = { ...STEPS, ArrowUp: -data.columns, ArrowDown: data.columns };
    const from = buttons.indexOf(event.target.closest("button"));
    const to = from + steps[event.key];
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (to < 0 || to >= buttons.length) return;
    buttons[to].focus({ focusVisible: true });
    choose(to);
  };
}
