// The pad alone: the server gets a drawing when a stroke ends, and answers with what the model gets.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pad");
  const pad = keptFor(root, () => new Pad(root, data.texts));
  pad.side = data.side;
  pad.send = (drawing) => setTriggerValue("drawing", drawing);
  pad.update(data);
}
