// The one row slides in from the side while the others make room for it. It plays once when it comes in sight.

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const views = new WeakMap();

/** Make an element as the last of another. */
function element(tag, className, parent, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  parent.append(made);
  return made;
}

/** The rows under their names; the one row above them, if it is to be there. */
function still(parent, className, title, { rows, row, texts }, hasRow) {
  const figure = element("figure", className, parent);
  element("figcaption", "", figure, title);
  const stage = element("div", "stage", figure);
  stage.setAttribute("role", "img");
  stage.setAttribute("aria-label", hasRow ? texts.alt : texts.rows);
  const picture = (kind, address) => {
    element("span", kind === "row" ? "name" : "", stage, texts[kind]);
    const frame = element("div", kind, stage);
    const image = element("img", "", frame);
    image.alt = "";
    image.src = address;
    return frame;
  };
  return { figure, one: hasRow && picture("row", row), many: picture("rows", rows) };
}

class Joining {
  constructor(root, data) {
    this.running = [];
    root.replaceChildren();
    const stills = element("div", "stills", root);
    still(stills, "before", data.texts.before, data, false);
    const { figure, one, many } = still(stills, "moving", data.texts.after, data, true);
    Object.assign(this, { one, many });
    const again = element("button", "", figure, data.texts.again);
    again.type = "button";
    again.onclick = () => this.play();
    this.seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.seen.disconnect();
      this.play();
    }, { threshold: 0.5 });
    this.seen.observe(figure);
  }

  play() {
    this.stop();
    if (calm.matches) return;
    const room = `translateY(-${this.one.offsetHeight + 4}px)`;
    const timing = { easing: "ease-in-out", fill: "backwards" };
    this.running = [
      this.many.animate([{ transform: room }, { transform: "none" }], { ...timing, delay: 600, duration: 700 }),
      this.one.animate(
        [{ transform: "translateX(105%)", opacity: 0 }, { transform: "none", opacity: 1 }],
        { ...timing, delay: 1100, duration: 1100 },
      ),
    ];
  }

  stop() {
    for (const one of this.running) one.cancel();
    this.running = [];
  }

  leave() {
    this.seen.disconnect();
    this.stop();
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".joining");
  const told = JSON.stringify(data);
  let view = views.get(root);
  if (view?.told !== told) {
    view?.leave();
    view = Object.assign(new Joining(root, data), { told });
    views.set(root, view);
  }
  root.classList.toggle("dark", isDark(root)); // another theme comes with the same data
  return () => {
    view.leave();
    views.delete(root);
  };
}
