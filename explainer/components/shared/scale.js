// One colour scale for both halves of a comparison: a component that stands on the page twice, once
// for each model, takes the larger of both limits.

/** What both halves call a component: its key without the prefix of the second half. */
function baseOf(key) {
  return key.replace(/^b-/, "");
}

/** The scale that a component shares with the one of the other half, if there is one. */
function scaleOf(channel) {
  const scales = (globalThis[Symbol.for("vit-explainer.scales")] ??= new Map());
  const base = baseOf(channel);
  if (!scales.has(base)) scales.set(base, newScale());
  return scales.get(base);
}

function newScale() {
  const members = new Map(); // component → its channel, its limits by name, how it paints again
  const changed = new Set(); // channels whose limits the other half has not painted with yet
  const tell = (channel) => {
    if (!changed.size) queueMicrotask(repaint);
    changed.add(channel);
  };
  const repaint = () => {
    const channels = [...changed];
    changed.clear();
    for (const member of [...members.values()]) {
      if (channels.some((channel) => channel !== member.channel) && isStale(member)) member.paint();
    }
  };
  const others = (channel) => [...members.values()].filter((member) => member.channel !== channel);
  const commonOf = ({ channel }, name, limit) =>
    others(channel).reduce((most, { limits }) => Math.max(most, limits.get(name) ?? 0), limit);
  const sharesOne = (member) =>
    others(member.channel).some(({ limits }) => [...limits.keys()].some((name) => member.limits.has(name)));
  // a half that is drawn anew has the same limits as a rule, and then the other one stays as it is
  const isStale = (member) =>
    sharesOne(member) !== member.isShared ||
    [...member.limits].some(([name, limit]) => commonOf(member, name, limit) !== member.painted.get(name));
  return {
    /** Take part; ``paint`` is called when a limit of the other half has changed. */
    join(owner, channel, paint) {
      members.set(owner, { channel, paint, limits: new Map(), painted: new Map(), isShared: false });
      tell(channel);
    },
    part(owner) {
      const member = members.get(owner);
      members.delete(owner);
      if (member) tell(member.channel);
    },
    /** Whether a component has a scale, and one of the other half has it, too. */
    isShared(owner) {
      const member = members.get(owner);
      if (!member) return false;
      return (member.isShared = sharesOne(member));
    },
    /** The size that has the full colour in the picture ``name`` of both halves; ``limit`` in this one alone. */
    common(owner, name, limit) {
      const member = members.get(owner);
      if (!member) return limit;
      if (member.limits.get(name) !== limit) {
        member.limits.set(name, limit);
        tell(member.channel);
      }
      const common = commonOf(member, name, limit);
      member.painted.set(name, common);
      return common;
    },
  };
}
