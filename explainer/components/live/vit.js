// The forward pass of a Vision Transformer in plain JavaScript: a second reading of
// vit_core/model.py, in the same order and under the same names. Nothing is trained here, so there
// are no gradients, no batch axis and no dropout.
//
// Shape suffixes of tensors, as in model.py:
//     N tokens (class token, registers, patches)    P patches    V values of a patch    D width
//     H heads    K width of a head    M width of the MLP    C classes
//
// Every named tensor passes once through ``tap``, which keeps it as {shape, data}; data is a
// Float32Array with one row after the other. Sums are in double precision.

/** Read a safetensors file into a model: its weights by name, ready for ``run``.
 *
 * ``config`` is a ViTConfig as JSON with ``mean``, ``std`` (of each channel, for pixels from 0 to 1)
 * and ``flaws`` (``residual``, ``layer_norm``, ``scale_scores``: false for a part that does not run).
 */
function readModel(bytes, config) {
  const [height, width] = pairOf(config.image_size);
  const [patchHeight, patchWidth] = pairOf(config.patch_size);
  const [rows, columns] = [height / patchHeight, width / patchWidth];
  return {
    weights: readTensors(bytes),
    config: { flaws: {}, ...config },
    C: config.in_channels,
    ...{ height, width, patchHeight, patchWidth, rows, columns },
    P: rows * columns,
    V: config.in_channels * patchHeight * patchWidth,
    D: config.embed_dim,
    H: config.num_heads,
    K: config.embed_dim / config.num_heads,
    M: Math.floor(config.embed_dim * config.mlp_ratio),
  };
}

/** Return every named tensor of one pass, a Map of name → {shape, data}, in the order of the pass.
 *
 * ``image`` is normalised, (channels, height, width). ``edits`` may have
 *     headsOff: [[block, head], …]  heads that give zeros in place of their mix of values
 *     noPosition: true              zeros in place of all positions
 *     cover: {patch: how}           "mean" of the image as a whole level, "black", or "drop": the patch's token is left
 *                                   out after its position was added, so the tensors have fewer rows
 *     order: [patch, …]             the patch of the picture that stands at each place
 */
function run(model, image, edits = {}) {
  checkEdits(model, image, edits);
  const trace = new Map();
  const tap = (name, shape, data) => (trace.set(name, { shape, data }), data);
  const pass = { model, edits, tap, room: new Room() };
  let x_ND = embed(pass, patchEmbed(pass, image));
  for (let index = 0; index < model.config.depth; index++) {
    x_ND = encoderBlock({ ...pass, tap: within(tap, `blocks.${index}`) }, x_ND, index);
  }
  forwardHead(pass, finalNorm(pass, x_ND));
  return trace;
}

/** Cut into patches and flatten each: (channels, height, width) → (P, V). */
function patchify({ model, edits, room }, image) {
  const { C, height, width, patchHeight, patchWidth, columns, P, V } = model;
  const patches_PV = room.take(P * V);
  const pixels = height * width;
  for (let place = 0, to = 0; place < P; place++) {
    const patch = edits.order ? edits.order[place] : place;
    const how = edits.cover?.[patch];
    const corner = Math.floor(patch / columns) * patchHeight * width + (patch % columns) * patchWidth;
    for (let channel = 0; channel < C; channel++) {
      const plane = image.subarray(channel * pixels, (channel + 1) * pixels);
      const level = how === "mean" ? meanLevel(model.config, channel, plane) : how === "black" ? 0 : null;
      const cover = level === null ? null : valueOf(model.config, channel, level);
      for (let row = 0; row < patchHeight; row++) {
        const from = corner + row * width;
        for (let column = 0; column < patchWidth; column++) patches_PV[to++] = cover ?? plane[from + column];
      }
    }
  }
  return patches_PV;
}

/** Project every flattened patch to D numbers: x_p E. */
function patchEmbed(pass, image) {
  const { P, V, D } = pass.model;
  const patches_PV = pass.tap("patches", [P, V], patchify(pass, image));
  return pass.tap("patch_embed", [P, D], linear(pass, patches_PV, P, "patch_embed.proj"));
}

/** Join the class token and add the position, z_0 = [x_class; x_p E] + E_pos; then the registers. */
function embed({ model, edits, tap, room }, patches_PD) {
  const { weights, config, D } = model;
  const cls = config.pool === "cls" ? 1 : 0;
  const positions = model.P + cls;
  let x_ND = patches_PD;
  if (cls) {
    x_ND = room.take(positions * D);
    x_ND.set(weights.get("cls_token").data);
    x_ND.set(patches_PD, D);
  }
  tap("tokens", [positions, D], x_ND);
  if (weights.has("pos_embed")) {
    const position_ND = room.take(positions * D);
    if (!edits.noPosition) position_ND.set(weights.get("pos_embed").data);
    x_ND = add(room, x_ND, tap("pos_embed", [positions, D], position_ND));
  }
  const registers_RD = config.num_registers ? weights.get("reg_token").data : new Float32Array(0);
  const patches = keptPlaces(model.P, edits);
  const N = cls + config.num_registers + patches.length;
  const embedded_ND = room.take(N * D);
  embedded_ND.set(x_ND.subarray(0, cls * D));
  embedded_ND.set(registers_RD, cls * D);
  patches.forEach((place, index) => {
    const from = (cls + place) * D;
    embedded_ND.set(x_ND.subarray(from, from + D), (N - patches.length + index) * D);
  });
  return tap("embed", [N, D], embedded_ND);
}

/** One pre-norm block: z' = MSA(LN(z)) + z, z'' = MLP(LN(z')) + z'. */
function encoderBlock(pass, x_ND, index) {
  const { tap, model } = pass;
  const { residual = true } = model.config.flaws;
  const shape = [x_ND.length / model.D, model.D];
  const name = `blocks.${index}`;
  const joined = (before_ND, part_ND) => (residual ? add(pass.room, before_ND, part_ND) : part_ND);

  tap("resid_pre", shape, x_ND);
  let normed_ND = tap("norm1", shape, layerNorm(pass, x_ND, `${name}.norm1`));
  const attn_ND = selfAttention({ ...pass, tap: within(tap, "attn") }, normed_ND, index);
  tap("attn_out", shape, layerScale(pass, attn_ND, `${name}.ls1`));
  x_ND = tap("resid_mid", shape, joined(x_ND, attn_ND));

  normed_ND = tap("norm2", shape, layerNorm(pass, x_ND, `${name}.norm2`));
  const mlp_ND = mlp({ ...pass, tap: within(tap, "mlp") }, normed_ND, `${name}.mlp`);
  tap("mlp_out", shape, layerScale(pass, mlp_ND, `${name}.ls2`));
  return tap("resid_post", shape, joined(x_ND, mlp_ND));
}

/** MSA(z) = [SA_1(z); …; SA_H(z)] U_msa, with A = softmax(q kᵀ / √K) and SA(z) = A v. */
function selfAttention(pass, x_ND, index) {
  const { model, edits, tap, room } = pass;
  const { D, H, K } = model;
  const N = x_ND.length / D;
  const { scale_scores = true } = model.config.flaws;
  const name = `blocks.${index}.attn`;
  const qkv_N3D = linear(pass, x_ND, N, `${name}.qkv`);
  const [q_HNK, k_HNK, v_HNK] = ["q", "k", "v"].map((part, at) =>
    tap(part, [H, N, K], perHead(room, qkv_N3D, at * D, 3 * D, N, H, K)),
  );
  const scores_HNN = tap("scores", [H, N, N], room.take(H * N * N));
  const pattern_HNN = tap("pattern", [H, N, N], room.take(H * N * N));
  const z_HNK = tap("z", [H, N, K], room.take(H * N * K));
  const beside_ND = new Float32Array(N * D); // all heads' z side by side
  const off = new Set((edits.headsOff ?? []).filter(([block]) => block === index).map(([, head]) => head));
  for (let head = 0; head < H; head++) {
    const of = (tensor_HNx, x) => tensor_HNx.subarray(head * N * x, (head + 1) * N * x);
    const scores_NN = of(scores_HNN, N);
    multiply(of(q_HNK, K), N, K, of(k_HNK, K), N, null, scores_NN);
    if (scale_scores) for (let at = 0; at < scores_NN.length; at++) scores_NN[at] /= Math.sqrt(K);
    softmaxRows(scores_NN, N, of(pattern_HNN, N));
    if (off.has(head)) continue; // its z stays zero
    const z_NK = of(z_HNK, K);
    multiply(of(pattern_HNN, N), N, N, transposed(of(v_HNK, K), N, K), K, null, z_NK);
    for (let token = 0; token < N; token++) {
      beside_ND.set(z_NK.subarray(token * K, (token + 1) * K), token * D + head * K);
    }
  }
  return linear(pass, beside_ND, N, `${name}.proj`);
}

/** Two linear layers with GELU between them, applied to each token alone. */
function mlp(pass, x_ND, name) {
  const { M, D } = pass.model;
  const N = x_ND.length / D;
  const pre_NM = pass.tap("pre", [N, M], linear(pass, x_ND, N, `${name}.fc1`));
  const post_NM = pass.tap("post", [N, M], gelu(pre_NM, pass.room.take(N * M)));
  return linear(pass, post_NM, N, `${name}.fc2`);
}

function finalNorm(pass, x_ND) {
  const normed_ND = pass.model.config.final_norm ? layerNorm(pass, x_ND, "norm") : x_ND;
  return pass.tap("final_norm", [x_ND.length / pass.model.D, pass.model.D], normed_ND);
}

/** Pool the tokens and classify them: (N, D) → logits (C). Without a head the pooled features stay. */
function forwardHead(pass, x_ND) {
  const { model, tap, room } = pass;
  const { D } = model;
  let pooled_D = x_ND.subarray(0, D);
  if (model.config.pool === "mean") {
    const patches_PD = x_ND.subarray(model.config.num_registers * D);
    pooled_D = room.take(D);
    for (let dim = 0; dim < D; dim++) {
      let sum = 0;
      for (let at = dim; at < patches_PD.length; at += D) sum += patches_PD[at];
      pooled_D[dim] = sum / (patches_PD.length / D);
    }
  }
  tap("pooled", [D], pooled_D);
  if (model.config.num_classes) tap("logits", [model.config.num_classes], linear(pass, pooled_D, 1, "head"));
}

/** x Wᵀ + b of the layer ``name``; its weight is (outputs, inputs), as PyTorch has it. */
function linear({ model, room }, x, rows, name) {
  const { data, shape } = model.weights.get(`${name}.weight`);
  const bias = model.weights.get(`${name}.bias`)?.data ?? null;
  return multiply(x, rows, shape[1], data, shape[0], bias, room.take(rows * shape[0]));
}

/** Normalise each row to mean 0 and variance 1, then scale by γ and shift by β. */
function layerNorm({ model, room }, x_ND, name) {
  const { D, config, weights } = model;
  if (config.flaws.layer_norm === false) return x_ND;
  const gamma = weights.get(`${name}.weight`).data;
  const beta = weights.get(`${name}.bias`).data;
  const out = room.take(x_ND.length);
  for (let start = 0; start < out.length; start += D) {
    let sum = 0;
    let squares = 0;
    for (let dim = 0; dim < D; dim++) sum += x_ND[start + dim];
    const centre = sum / D;
    for (let dim = 0; dim < D; dim++) squares += (x_ND[start + dim] - centre) ** 2;
    const factor = 1 / Math.sqrt(squares / D + config.norm_eps);
    for (let dim = 0; dim < D; dim++) {
      out[start + dim] = (x_ND[start + dim] - centre) * factor * gamma[dim] + beta[dim];
    }
  }
  return out;
}

/** Multiply each dimension by its learned factor, in place, if the model has LayerScale. */
function layerScale({ model }, x_ND, name) {
  const gamma = model.weights.get(`${name}.gamma`)?.data;
  if (gamma) for (let at = 0; at < x_ND.length; at++) x_ND[at] *= gamma[at % model.D];
  return x_ND;
}

/** A tap that puts ``prefix`` and a dot before each name. */
function within(tap, prefix) {
  return (name, shape, data) => tap(`${prefix}.${name}`, shape, data);
}

/** Pixels (height, width, channels) uint8 → x = (pixel / 255 − mean) / std, (channels, height, width). */
function normalise({ config, C, height, width }, pixels) {
  const image = new Float32Array(C * height * width);
  if (pixels.length !== image.length) {
    throw new Error(`${pixels.length} pixel values do not fit this model; it takes ${height} × ${width} × ${C}`);
  }
  for (let channel = 0, to = 0; channel < C; channel++) {
    for (let from = channel; from < pixels.length; from += C) image[to++] = valueOf(config, channel, pixels[from]);
  }
  return image;
}

/** The mean of a normalised channel as a whole level 0 … 255, the nearest to that of its pixels. */
function meanLevel({ mean, std }, channel, plane) {
  let sum = 0;
  for (const value of plane) sum += Math.round(255 * (value * std[channel] + mean[channel]));
  return Math.floor(sum / plane.length + 0.5);
}

/** What a level 0 … 255 of a channel becomes: (level / 255 − mean) / std. */
function valueOf({ mean, std }, channel, level) {
  return level * (1 / (255 * std[channel])) - mean[channel] / std[channel];
}

function pairOf(size) {
  return Array.isArray(size) ? size : [size, size];
}
