// Hands what this browser keeps to each new session once, keeps what the session says, and forgets it all
// when the session has been asked to.

const session = (globalThis[Symbol.for("vit_explainer.answers")] ??= { id: null, forgotten: 0 });

export default function ({ data, setTriggerValue }) {
  const isNew = session.id !== data.session;
  if (!isNew && data.forgotten > session.forgotten) forgetStore();
  session.id = data.session;
  session.forgotten = data.forgotten;
  if (isNew && storedText()) setTriggerValue("stored", storedText());
  keepInStore(data.recent, data.nickname);
}
