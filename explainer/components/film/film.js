// A film of what a model computes: a picture for each stop, a player below.

const FILM_SCREENS = { attention: AttentionScreen, filters: FiltersScreen, map: MapScreen };

export default function (mount) {
  return mounted(FilmView, mount);
}

class FilmView {
  constructor(root) {
    this.root = root;
    root.classList.add("film");
    this.listener = (choice) => this.choose(choice);
  }

  update(data) {
    // what changes with every choice is not built anew, so that a film plays on
    const { query, ...built } = { ...data, arrays: undefined, colours: undefined };
    const shape = JSON.stringify(built);
    this.data = data;
    setMarks(this.root, data.colours);
    if (shape !== this.shape) this.build();
    this.shape = shape;
    const channel = channelOf(data.channel);
    if (channel !== this.channel) this.channel?.listeners.delete(this.listener);
    this.channel = channel;
    channel.listeners.add(this.listener);
    this.scale = scaleOf(data.channel);
    this.scale.join(this, data.channel, () => this.player.show());
    this.head = this.clamped(channel.choice?.head ?? 0);
    this.screen.set(data);
    this.showHead();
    this.player.set(data.texts, data.stops.length, data.step);
  }

  build() {
    const { data, root } = this;
    this.screen?.leave();
    root.replaceChildren();
    const top = make("div", "top", root);
    this.screen = new FILM_SCREENS[data.kind](top, this);
    this.screen.build(data);
    const bar = make("div", "bar-below", root);
    const { at, speed, loops } = this.player ?? {};
    this.player?.leave();
    this.player = new FilmPlayer(bar, this.screen);
    if (at !== undefined) Object.assign(this.player, { at: Math.round(at), speed, loops });
    this.buildHeads(bar);
    this.announce = announcer(root);
    this.screen.announce = this.announce;
  }

  buildHeads(parent) {
    const { heads = 1, texts } = this.data;
    this.heads = null;
    if (heads < 2) return;
    const label = make("label", "choose", parent);
    make("span", "", label, texts.head);
    this.heads = make("select", "", label);
    for (let head = 0; head < heads; head++) {
      make("option", "", this.heads, String(head + 1)).value = head;
    }
    make("option", "", this.heads, fill(texts.mean, { heads })).value = heads;
    this.heads.addEventListener("change", () => {
      const head = Number(this.heads.value);
      this.channel.set({ ...this.channel.choice, head });
      this.send({ head });
    });
  }

  clamped(head) {
    const { heads = 1 } = this.data;
    return head < heads || heads < 2 ? Math.min(head, heads - 1) : heads;
  }

  /** Take over what the page has chosen. */
  choose({ head }) {
    if (head === undefined) return;
    this.head = this.clamped(head);
    this.showHead();
    this.player.show();
  }

  showHead() {
    if (this.heads) this.heads.value = this.head;
  }

  /** The weight of the widest arc; the same in both halves of a comparison. */
  widest() {
    const { heads = 1, arrays } = this.data;
    const name = this.head < heads ? `head ${this.head}` : "mean";
    return this.scale.common(this, name, arrays.scales[this.head]);
  }

  label(stop) {
    const { stops, heads = 1, texts } = this.data;
    if (heads < 2) return stops[stop];
    const text = this.head < heads ? texts.label_head : texts.label_mean;
    return fill(text, { stop: stops[stop], head: this.head + 1, heads });
  }

  /** Tell Python of a choice. */
  send(change) {
    // the time makes choosing the same again a change
    this.setStateValue("choice", { ...change, at: performance.now() });
  }

  /** Stop all that goes on by itself; ``update`` takes it up again. */
  leave() {
    this.player.leave();
    this.screen.leave();
    this.scale.part(this);
    this.channel.listeners.delete(this.listener);
  }
}
