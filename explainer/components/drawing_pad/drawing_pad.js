// The pad alone: the server gets a drawing when a stroke ends, and answers with what the model gets.

const pads = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pad");
  let pad = pads.get(root);
  if (!pad) pads.set(root, (pad = new Pad(root, data.texts)));
  pad.side = data.side;
  pad.send = (drawing) => setTriggerValue("drawing", drawing);
  pad.update(data);
}
