// Numbers as people read them; explainer/content/numbers.py writes them in the same way.

/** Four significant digits, without an exponent from a ten-thousandth to a million. */
function written(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const sign = value < 0 ? "\u2212" : "";
  // the exponent after rounding: 0.99999 has that of 1
  const exponent = Number(size.toExponential(3).split("e")[1]);
  if (exponent >= -4 && exponent < 6) return sign + size.toFixed(Math.max(0, 3 - exponent));
  const digits = String(exponent).replace(/./g, (digit) => SUPERSCRIPTS[digit]);
  return `${sign}${size.toExponential(3).split("e")[0]}\u00b710${digits}`;
}

const SUPERSCRIPTS = {
  "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹",
};

/** At most two decimals, for a cell that has no room for more. */
function writtenBriefly(value) {
  const size = Math.abs(value);
  const text = size.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
  return (value < 0 && Number(text) !== 0 ? "\u2212" : "") + text;
}
