// Keeps the visitor's secret in this browser for 90 days; no other site is sent it.

const KEEP = 90 * 24 * 60 * 60; // seconds

export default function ({ data: { name, value } }) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Max-Age=${KEEP}; Path=/; SameSite=Strict${secure}`;
}
