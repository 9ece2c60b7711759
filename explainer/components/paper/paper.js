// Shows a file for printing as wide as its paper, made smaller where the page has less room.

const PIXELS = 96 / 25.4; // of CSS, in a millimetre

export default function ({ data, parentElement }) {
  const [room, button, desk, frame] = [".room", "button", ".desk", "iframe"].map((name) =>
    parentElement.querySelector(name),
  );
  const width = data.width * PIXELS;

  function fit() {
    const inside = frame.contentDocument?.documentElement;
    if (!inside) return;
    const scale = Math.min(1, room.clientWidth / width);
    frame.style.width = `${width}px`;
    frame.style.height = `${inside.querySelector("body")?.scrollHeight ?? 0}px`;
    frame.style.transform = `scale(${scale})`;
    desk.style.width = `${width * scale}px`;
    desk.style.height = `${frame.offsetHeight * scale}px`;
  }

  frame.title = data.title;
  frame.onload = fit;
  if (frame.shown !== data.html) {
    frame.shown = data.html;
    frame.srcdoc = data.html;
  } else fit();
  button.onclick = () => frame.contentWindow.print();
  const sizes = new ResizeObserver(fit);
  sizes.observe(room);
  return () => {
    sizes.disconnect();
    frame.onload = button.onclick = null;
  };
}
