// Says which token of one half is which of the other, for as long as two models are on the page.

const HALVES = Symbol.for("vit-explainer.halves");

export default function ({ data, parentElement }) {
  globalThis[HALVES] = { ...data, owner: parentElement };
  return () => {
    if (globalThis[HALVES]?.owner === parentElement) delete globalThis[HALVES];
  };
}
