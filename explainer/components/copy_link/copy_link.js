// Copies the address bar, which the server keeps equal to all that is chosen. Where the browser does
// not let a page write to the clipboard (plain http, a frame), the link is shown, to copy by hand.

const SAID_FOR = 4000; // milliseconds

async function copied(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.hidden = false;
    field.value = text;
    field.select();
    const done = document.execCommand("copy");
    field.hidden = done;
    return done;
  }
}

export default function ({ data: texts, parentElement }) {
  const [button, field, said] = ["button", "input", "span"].map((tag) =>
    parentElement.querySelector(tag),
  );
  field.setAttribute("aria-label", texts.address);
  button.onclick = async () => {
    const done = await copied(location.href, field);
    said.textContent = done ? texts.copied : texts.by_hand;
    if (done) button.focus();
    clearTimeout(said.timer);
    if (done) said.timer = setTimeout(() => (said.textContent = ""), SAID_FOR);
  };
}
