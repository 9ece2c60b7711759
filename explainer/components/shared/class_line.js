// How the tabs of one browser tell each other what a class sees: the story, and the teacher's window
// beside it. Anybody of this address can speak on it, so each message is read with care.

const CLASS_LINE = "vit-explainer.class";
const CLASS_SCREENS = 18;
const LONGEST_LINK = 8000; // characters
const CLASS_AHEAD = 5000; // milliseconds that two clocks of one machine may differ

const isTabName = (value) => typeof value === "string" && /^[a-z0-9]{8,40}$/.test(value);
const isScreen = (value) => Number.isInteger(value) && value >= 1 && value <= CLASS_SCREENS;
const isFlag = (value) => typeof value === "boolean";
const isLink = (value) =>
  typeof value === "string" && value.length <= LONGEST_LINK && /^[\w\-.~%=&+*!'():;,@/]*$/.test(value);
const isTime = (value) => Number.isFinite(value) && value > 0 && value < Date.now() + CLASS_AHEAD;

// what each kind of message says
const CLASS_MESSAGES = {
  screen: { from: isTabName, screen: isScreen, isBlank: isFlag, used: isTime, link: isLink },
  gone: { from: isTabName },
  ask: {},
  turn: { to: isTabName, screen: isScreen },
  blank: { to: isTabName, isBlank: isFlag },
};

/** What another tab said; null for anything that no tab of this app says. */
function readClassMessage(data) {
  if (data === null || typeof data !== "object" || !Object.hasOwn(CLASS_MESSAGES, data.kind)) return null;
  const message = { kind: data.kind };
  for (const [name, fits] of Object.entries(CLASS_MESSAGES[data.kind])) {
    if (!Object.hasOwn(data, name) || !fits(data[name])) return null;
    message[name] = data[name];
  }
  return message;
}

class ClassLine {
  /** ``hear`` is called with each message of another tab. */
  constructor(hear) {
    if (!globalThis.BroadcastChannel) return; // a browser in which nobody follows
    this.channel = new BroadcastChannel(CLASS_LINE);
    this.channel.onmessage = ({ data }) => {
      const message = readClassMessage(data);
      if (message) hear(message);
    };
  }

  say(message) {
    this.channel?.postMessage(message);
  }

  close() {
    this.channel?.close();
    this.channel = null;
  }
}
