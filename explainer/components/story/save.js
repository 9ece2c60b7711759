// A screen's picture as a PNG, in the colours of paper.

class StorySave {
  constructor(story, parent) {
    this.story = story;
    saveButton(parent, story.data.save.texts, () => this.take());
  }

  async take() {
    const { story } = this;
    const halves = story.screens.map(({ half }) => half.data.save);
    const joined = (name) => {
      const lines = halves.map((save) => save[name]);
      if (new Set(lines).size < 2) return lines[0];
      return lines.map((line, at) => fill(halves[0].half, { half: "AB"[at], line })).join(" ");
    };
    const lines = savedLines({ ...halves[0], model: joined("model"), picture: joined("picture"), licence: joined("licence") });
    const about = { title: story.title.textContent, where: halves[0].where, lines };
    const element = story.halves.parts?.root ?? story.stage; // both halves, where two are shown
    const blob = await this.inLight(() => savedPicture(element, about, { without: ".views" }));
    return { blob, name: `story-${story.number}.png` };
  }

  /** Draw the canvases of a dark page in light colours while the picture is taken. */
  inLight(take) {
    const { story } = this;
    const { look } = story;
    if (!look.isDark) return take();
    story.look = paperLook(story.root, story.data.colours);
    for (const screen of story.screens) screen.refresh();
    const taken = take(); // its copy is made at once
    story.look = look;
    for (const screen of story.screens) screen.refresh();
    return taken;
  }
}
