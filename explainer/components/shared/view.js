// What every component of this kind does: build once, repaint from its data, hear what is chosen.

/**
 * Subclasses say how to ``build()`` elements for data of a new shape, how to ``show()`` the data in
 * them, how to take over what was chosen, ``choose(choice)``, and how to ``mark()`` what is pointed
 * at somewhere on the page. ``show()`` sets the ``page`` on which that happens: see marks.js.
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
    this.scale?.part(this);
    this.scale = scaleOf(data.channel);
    this.scale.join(this, data.channel, () => this.rescale());
    this.show();
    this.saySharing();
    this.listen();
    if (this.channel.choice) this.choose(this.channel.choice);
  }

  /** Paint again, since the other half of a comparison has another limit now. */
  rescale() {
    this.show();
    this.saySharing();
  }

  /** The size that has the full colour in the picture ``name``: the larger one of both halves. */
  limitOf(name, own) {
    return this.scale.common(this, name, own);
  }

  /** Say that both halves have one scale, while there are two with one. */
  saySharing() {
    const isShared = this.scale.isShared(this);
    if (isShared && this.sharing?.parentElement !== this.root) this.sharing = make("p", "note sharing", this.root);
    if (!isShared) this.sharing?.remove();
    else setText(this.sharing, this.data.one_scale);
  }

  listen() {
    this.page.join(this, () => this.follow());
    const channel = channelOf(this.data.channel);
    if (channel === this.channel) return;
    this.channel?.listeners.delete(this.listener);
    this.channel = channel;
    this.listener = (choice) => this.choose(choice);
    channel.listeners.add(this.listener);
  }

  /** Take over what is pointed at elsewhere. */
  follow() {
    this.mark();
  }

  leave() {
    this.channel?.listeners.delete(this.listener);
    this.channel = null;
    this.scale?.part(this);
    this.page?.part(this);
  }
}
