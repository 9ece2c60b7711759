// What was answered, as this browser keeps it: a list of [name, answer] and a nickname. Whoever can write
// to the store may have put anything there, so the server looks at all of it again.

const ANSWERS_STORE = "vit-explainer.answers";
const ALL_STORES = [ANSWERS_STORE, "vit-explainer.story-answers"];
const MOST_KEPT = 300; // answers, the last ones
const LONGEST_STORE = 400_000; // characters

/** Return the text in the store; empty where there is none, or none that can be used. */
function storedText() {
  try {
    const text = localStorage.getItem(ANSWERS_STORE) ?? "";
    return text.length > LONGEST_STORE ? "" : text;
  } catch {
    return ""; // a browser that keeps nothing for this page
  }
}

function readStore() {
  try {
    const { answers, nickname } = JSON.parse(storedText());
    return {
      answers: Array.isArray(answers) ? answers.filter(Array.isArray) : [],
      nickname: typeof nickname === "string" ? nickname : "",
    };
  } catch {
    return { answers: [], nickname: "" };
  }
}

/** Keep more answers, each under its name; of two under one name the first counts. */
function keepInStore(pairs, nickname = null) {
  const kept = readStore();
  const known = new Set(kept.answers.map(([name]) => name));
  const fresh = pairs.filter(([name]) => !known.has(name));
  const isNamed = nickname !== null && nickname !== kept.nickname;
  if (!fresh.length && !isNamed) return;
  const answers = [...kept.answers, ...fresh].slice(-MOST_KEPT);
  try {
    const all = { answers, nickname: isNamed ? nickname : kept.nickname };
    localStorage.setItem(ANSWERS_STORE, JSON.stringify(all));
  } catch {
    // they last as long as the session
  }
}

function forgetStore() {
  try {
    for (const name of ALL_STORES) localStorage.removeItem(name);
  } catch {
    // nothing is kept
  }
}
