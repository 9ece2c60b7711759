// A lesson's minutes: which screen has how many, and how far the clock is.

const PLAN_STORE = "vit-explainer.class-clock";
const MINUTE = 60_000;
const LONGEST_LESSON = 10 * 60 * MINUTE; // more is somebody else's text

/** Which screen a plan has after one, from 1; null after its last. */
function nextInPlan(minutes, number) {
  const at = minutes.findIndex((length, place) => place >= number && length > 0);
  return at < 0 ? null : at + 1;
}

/** By how many minutes a lesson is behind its plan; negative if it is ahead. */
function minutesBehind(minutes, number, spent) {
  const from = minutes.slice(0, number - 1).reduce((sum, length) => sum + length, 0);
  const to = from + minutes[number - 1];
  if (spent > to) return Math.floor(spent - to);
  return spent < from ? -Math.floor(from - spent) : 0;
}

/** A clock that a reload does not stop. */
class LessonClock {
  /** ``plans``: names of the plans, of which the second is taken first. */
  constructor(plans) {
    Object.assign(this, { plans, plan: plans[Math.min(1, plans.length - 1)], spent: 0, since: null });
    this.read();
  }

  read() {
    try {
      const { plan, spent, since } = JSON.parse(localStorage.getItem(PLAN_STORE));
      const fits = (time) => Number.isFinite(time) && time >= 0 && time < LONGEST_LESSON;
      if (!this.plans.includes(plan) || !fits(spent)) return;
      Object.assign(this, { plan, spent });
      if (since !== null && fits(Date.now() - since)) this.since = since;
    } catch {
      // nothing kept, or somebody else's text
    }
  }

  keep() {
    const { plan, spent, since } = this;
    try {
      localStorage.setItem(PLAN_STORE, JSON.stringify({ plan, spent, since }));
    } catch {
      // it lasts as long as the page
    }
  }

  get isRunning() {
    return this.since !== null;
  }

  /** Minutes since the start, without pauses. */
  get minutes() {
    return (this.spent + (this.isRunning ? Date.now() - this.since : 0)) / MINUTE;
  }

  choose(plan) {
    this.plan = plan;
    this.keep();
  }

  /** Start, go on or pause. */
  toggle() {
    this.spent = this.minutes * MINUTE;
    this.since = this.isRunning ? null : Date.now();
    this.keep();
  }

  reset() {
    Object.assign(this, { spent: 0, since: null });
    this.keep();
  }
}
