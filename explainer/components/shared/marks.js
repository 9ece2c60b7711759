// What is pointed at on a page, axis by axis, for all of its components: a row of one matrix is a
// column of the next and a patch of the image.

/**
 * The common memory of a group of components: what is pointed at, and what is chosen while nothing
 * is. A page that shows two models has a group for each; what is pointed at in one half is then
 * marked in the other, too, as ``components/halves`` says which token is which.
 */
function marksOf(group) {
  const groups = (globalThis[Symbol.for("vit-explainer.marks")] ??= new Map());
  if (!groups.has(group)) groups.set(group, newMarks(group, groups));
  return groups.get(group);
}

/** The prefix of the keys of a component's half: nothing in the first one. */
function halfOf(key) {
  return key.startsWith("b-") ? "b-" : "";
}

/** The token of another model that is the same as this one; explainer/state/second.py finds it, too. */
function sameToken(token, from, to) {
  if (token < from.class_tokens) return to.class_tokens ? token : undefined;
  if (token < from.prefix) {
    const same = token - from.class_tokens + to.class_tokens;
    return same < to.prefix ? same : undefined;
  }
  const patch = token - from.prefix;
  const place = (at, size, other) => Math.floor(((at + 0.5) * other) / size);
  const row = place(Math.floor(patch / from.columns), from.rows, to.rows);
  return to.prefix + row * to.columns + place(patch % from.columns, from.columns, to.columns);
}

function newMarks(group, groups) {
  const half = halfOf(group);
  const [own, other] = half ? ["b", "a"] : ["a", "b"];
  const twin = half ? group.slice(half.length) : `b-${group}`;
  const halves = () => globalThis[Symbol.for("vit-explainer.halves")]; // while two models are compared
  return {
    prefix: 0, // tokens before the first patch
    pointed: {},
    owner: null,
    links: new Map(),
    listeners: new Map(),
    /** Say what ``owner`` points at: axis → index; null when at nothing any more. */
    point(owner, places) {
      if (!places && this.owner !== owner) return;
      this.owner = places ? owner : null;
      this.pointed = this.named(places ?? {});
      this.notify();
    },
    /** Say what is chosen on the axes while nothing is pointed at. */
    keep(owner, places) {
      this.links.set(owner, this.named(places));
      this.notify();
    },
    join(owner, listener) {
      this.listeners.set(owner, listener);
    },
    part(owner) {
      this.listeners.delete(owner);
      this.links.delete(owner);
      this.point(owner, null);
    },
    notify() {
      for (const listener of this.listeners.values()) listener();
      if (!halves()) return;
      for (const listener of groups.get(twin)?.listeners.values() ?? []) listener();
    },
    /** The index that is pointed at in the other half, as an index of this one. */
    across(name) {
      const index = halves() && groups.get(twin)?.pointed[name];
      if (index === undefined || halves().apart.includes(name)) return undefined;
      if (name !== "query" && name !== "key") return index;
      return sameToken(index, halves()[other], halves()[own]);
    },
    /** The index marked on an axis, undefined where none is. */
    at(axis) {
      const { name, shift } = this.place(axis);
      let index = this.pointed[name] ?? this.across(name);
      for (const links of this.links.values()) index ??= links[name];
      return index === undefined || index < shift ? undefined : index - shift;
    },
    named(places) {
      const entries = Object.entries(places).map(([axis, index]) => {
        const { name, shift } = this.place(axis);
        return [name, index + shift];
      });
      return Object.fromEntries(entries);
    },
    /** A token is a query until it is looked at as a key; a patch is a token behind the first ones. */
    place(axis) {
      const prefix = halves()?.[own].prefix ?? this.prefix;
      if (axis === "token" || axis === "any") return { name: "query", shift: 0 };
      if (axis === "patch") return { name: "query", shift: prefix };
      if (axis === "patch as key") return { name: "key", shift: prefix };
      return { name: axis, shift: 0 };
    },
  };
}

const MARK_COLOURS = {
  token: "query",
  any: "query",
  query: "query",
  key: "key",
  "patch as key": "key",
  value: "value",
  patch: "patch",
  class_token: "class-token",
};

/** The theme's colour of what runs along an axis. */
function axisColour(axis) {
  return `var(--${MARK_COLOURS[axis] ?? "accent"})`;
}
