// What the charts draw: the server's points, joined with those that it told before.

export const SPAN_SECONDS = 15 * 60;

/** A worker that started late knows few points; what another one told a moment ago still holds. */
export class Points {
  constructor() {
    this.known = new Map();
  }

  /** Takes a report's series. Returns all points of the last 15 minutes, oldest first. */
  take(series) {
    series.at.forEach((at, i) => this.known.set(at, point(series, i)));
    const newest = Math.max(...this.known.keys());
    for (const at of this.known.keys()) if (at <= newest - SPAN_SECONDS) this.known.delete(at);
    return [...this.known.values()].sort((a, b) => a.at - b.at);
  }
}

function point(series, i) {
  const row = (columns) => Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[i]]));
  return {
    at: series.at[i],
    answers_per_second: series.answers_per_second[i],
    t_total_ms: series.t_total_ms[i],
    parts: row(series.parts_ms),
    quantiles: row(series.quantiles_ms),
    levels: row(series.levels_per_second),
  };
}
