// The line on which a pen asks the server; it shows nothing.

export default function ({ data: { name, answer }, setTriggerValue }) {
  const line = serverLine(name);
  const send = (asked) => setTriggerValue("asked", asked);
  line.connect(send);
  if (answer) for (const listener of [...line.listeners]) listener(answer);
  return () => {
    if (line.send === send) line.send = null;
  };
}
