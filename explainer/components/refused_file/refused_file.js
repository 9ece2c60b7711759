// Streamlit's uploader tells why it refused a file only to those who point at its red icon, or who
// hear the page. Here it becomes a sentence that everybody sees, as long as the file is listed.

const REASONS = [
  [/^File must be .* or smaller|status code 413/, "large"],
  [/files are not allowed/, "kind"],
  [/status code 503/, "busy"],
  [/status code 408/, "slow"],
];

export default function ({ data, parentElement }) {
  const list = parentElement.querySelector(".refusals");
  const uploader = document.getElementsByClassName(data.uploader)[0];
  if (!uploader) return undefined;
  const write = () => {
    const refused = [...uploader.querySelectorAll('[data-testid="stFileChip"][aria-invalid="true"]')];
    const sentences = refused.map((chip) => sentenceOf(chip, data.texts));
    if (sentences.join("\n") === [...list.children].map((item) => item.textContent).join("\n")) return;
    list.replaceChildren(
      ...sentences.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
    );
  };
  const watching = new MutationObserver(write);
  watching.observe(uploader, { subtree: true, childList: true, attributes: true, characterData: true });
  write();
  return () => watching.disconnect();
}

function sentenceOf(chip, texts) {
  const label = chip.getAttribute("aria-label") ?? "";
  const cut = label.lastIndexOf(", ");
  const [name, size] = cut < 0 ? [label, ""] : [label.slice(0, cut), label.slice(cut + 2)];
  const said = chip.querySelector('[role="alert"]')?.textContent ?? "";
  const why = said.replace(/^\s*Error:\s*/, "");
  const reason = REASONS.find(([pattern]) => pattern.test(why))?.[1] ?? "failed";
  const facts = { name, size: size.replace(/([\d.]+)([A-Za-z]+)/, "$1 $2"), why };
  return texts[reason].replace(/\{(name|size|why)\}/g, (_, fact) => facts[fact]);
}
