// Asks for /monitor.json, again and again, while the page is seen and nobody paused it.

const PATIENCE_MS = 10_000;

/**
 * `state` is one of: waiting (nothing came yet), live, silent (the last question got no answer), paused.
 * `answeredAt` and `silentSince` are milliseconds since 1970 by this browser's clock, or null.
 */
export class Feed {
  constructor(url, seconds, onReport, onState) {
    Object.assign(this, { url, seconds, onReport, onState });
    this.state = "waiting";
    this.answeredAt = null;
    this.silentSince = null;
    this.paused = false;
    this.timer = null;
    this.asking = false;
    document.addEventListener("visibilitychange", () => this.ask());
  }

  pause(paused) {
    this.paused = paused;
    this.tell(paused ? "paused" : this.silentSince ? "silent" : this.answeredAt ? "live" : "waiting");
    this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    if (this.paused || document.hidden || this.asking) return;
    this.asking = true;
    try {
      const answer = await fetch(this.url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const report = await answer.json();
      this.answeredAt = Date.now();
      this.silentSince = null;
      if (!this.paused) {
        this.onReport(report);
        this.tell("live");
      }
    } catch {
      this.silentSince ??= Date.now();
      if (!this.paused) this.tell("silent");
    } finally {
      this.asking = false;
      if (!this.paused && !document.hidden) this.timer = setTimeout(() => this.ask(), this.seconds * 1000);
    }
  }

  tell(state) {
    this.state = state;
    this.onState(this);
  }
}
