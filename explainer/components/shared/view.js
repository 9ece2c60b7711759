// What every component of this kind does: build once, repaint from its data, hear what is chosen.

const views = new WeakMap();

/** Let one ``View`` live in ``.panels`` for as long as Streamlit keeps the element. */
function mounted(View, { data: bytes, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".panels");
  let view = views.get(root);
  if (!view) views.set(root, (view = new View(root)));
  view.setStateValue = setStateValue;
  view.update(unpack(bytes));
  return () => view.leave();
}

/**
 * Subclasses say how to ``build()`` elements for data of a new shape, how to ``show()`` the data in
 * them, and how to take over what was chosen: ``choose(choice)``.
 */
class View {
  constructor(root) {
    this.root = root;
  }

  update(data) {
    const shape = JSON.stringify({ ...data, arrays: undefined, colours: undefined });
    this.data = data;
    if (shape !== this.shape) {
      this.root.replaceChildren();
      this.build();
    }
    this.shape = shape;
    setMarks(this.root, data.colours);
    this.show();
    this.listen();
    if (this.channel.choice) this.choose(this.channel.choice);
  }

  listen() {
    const channel = channelOf(this.data.channel);
    if (channel === this.channel) return;
    this.leave();
    this.channel = channel;
    this.listener = (choice) => this.choose(choice);
    channel.listeners.add(this.listener);
  }

  leave() {
    this.channel?.listeners.delete(this.listener);
    this.channel = null;
  }
}
