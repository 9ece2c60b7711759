// Keeps the visitor's secret in this browser for 90 days. No other site is sent it.
//
// In a page of another site, as in the frame of a learning platform, browsers send such a cookie only
// if it is kept for that site alone ("Partitioned", over https), and some send none. There, the
// secret is also kept for as long as the tab is open, and handed back when the page asks for it. A
// browser that keeps nothing at all for such a page says so.

const KEEP = 90 * 24 * 60 * 60; // seconds

let said = false; // that this browser keeps nothing

function isFramed() {
  try {
    return window.top.location.origin !== location.origin;
  } catch {
    return true; // another site's
  }
}

function stored(act) {
  try {
    return act(sessionStorage);
  } catch {
    return null; // a browser that keeps nothing for frames
  }
}

export default function ({ data: { name, value, known, answers }, setTriggerValue }) {
  if (!isFramed()) {
    if (value) keep(name, value, "SameSite=Strict");
    else if (answers) setTriggerValue("secret", "none");
    return;
  }
  if (value) {
    keep(name, value, "SameSite=None; Partitioned");
    const isKept = stored((storage) => (storage.setItem(name, value), true));
    if (!isKept && !document.cookie.includes(value) && !said) {
      said = true;
      setTriggerValue("lost", true);
    }
    return;
  }
  const kept = stored((storage) => storage.getItem(name));
  if ((kept && kept !== known) || answers) setTriggerValue("secret", kept || "none");
}

function keep(name, value, kind) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Max-Age=${KEEP}; Path=/; ${kind}${secure}`;
}
