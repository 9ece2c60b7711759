// Reads safetensors: eight bytes with the header's length, the header as JSON, the tensors' bytes.

/** Read all tensors of a file: a Map of name → {shape, data: Float32Array}. */
function readTensors(bytes) {
  const all = new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength);
  const length = all.length < 8 ? 0 : new DataView(all.buffer, all.byteOffset, 8).getUint32(0, true);
  if (!length || 8 + length > all.length) throw new Error("this is no whole safetensors file");
  const header = JSON.parse(new TextDecoder().decode(all.subarray(8, 8 + length)));
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [start, end] = offsets.map((offset) => 8 + length + offset);
    const read = READERS[dtype];
    if (!read) throw new Error(`${name} has numbers of type ${dtype}`);
    if (end > all.length) throw new Error("this is no whole safetensors file");
    const data = read(all.slice(start, end).buffer); // a copy, which starts at a multiple of four
    if (data.length !== shape.reduce((product, size) => product * size, 1)) {
      throw new Error(`${name} does not have as many numbers as its shape says`);
    }
    tensors.set(name, { shape, data });
  }
  return tensors;
}

const READERS = {
  F32: (buffer) => new Float32Array(buffer),
  F16: (buffer) => Float32Array.from(new Uint16Array(buffer), halfToNumber),
  BF16: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
};

/** A float16: 1 bit sign, 5 bits exponent, 10 bits fraction. */
function halfToNumber(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
}
