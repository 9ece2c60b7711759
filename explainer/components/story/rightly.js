// How a screen is made to say what turns out: it is answered, where it asks for a place with the right one.

const RIGHTLY = {
  attention: (screen) => screen.choose(screen.best),
  alike: (screen) => screen.choose(screen.best),
  answer: (screen) => screen.choose(screen.settled),
  async cover(screen) {
    const left = await screen.measure();
    if (left) await screen.guess(largestOf(left.map((share) => -share)));
  },
};

/** Answer a screen that asks; with options any of them, since each leads to what is right. */
async function answerOf(screen) {
  const rightly = RIGHTLY[screen.texts.name] ?? (() => screen.predicted(0, screen.prediction.options[0]));
  await rightly(screen);
}
