// Which keys are meant for a page as a whole.

/** Whether keys mean letters where they are pressed. */
function isTypedInto(target) {
  const field = target.closest?.("input, textarea, select, [contenteditable]");
  return Boolean(field) && !["range", "checkbox", "radio", "button"].includes(field.type);
}

/** Whether a key is pressed together with one that gives it another meaning. */
function hasModifier(event) {
  return event.altKey || event.ctrlKey || event.metaKey;
}
