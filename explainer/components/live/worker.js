// Runs vit.js beside the page, so that the pen never waits for a pass. A message is either a model,
// {bytes, config}, or an image, {pixels, edits}; each is answered under its id.

let model = null;

onmessage = ({ data }) => {
  const { id } = data;
  try {
    if (data.bytes) {
      model = readModel(data.bytes, data.config);
      // a first pass finds out whether the file has all that the model needs
      run(model, new Float32Array(model.C * model.height * model.width));
      postMessage({ id });
    } else {
      const trace = run(model, normalise(model, data.pixels), data.edits);
      // the memory is handed over, not copied
      const pieces = new Set(Array.from(trace.values(), (tensor) => tensor.data.buffer));
      postMessage({ id, trace }, [...pieces]);
    }
  } catch (error) {
    postMessage({ id, error: error.message });
  }
};
