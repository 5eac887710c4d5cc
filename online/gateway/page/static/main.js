// Wires the page: reports come in by the feed and go out to the panels, the charts and the table of points.

import { Charts } from "./charts.js";
import { Feed } from "./feed.js";
import { age, clock, milliseconds, rate } from "./format.js";
import { fill, showFigures } from "./panels.js";
import { Points } from "./points.js";

const element = (id) => document.getElementById(id);
const step = Number(document.body.dataset.step);
const points = new Points();
const charts = new Charts(step);
let report = null;
let known = [];
let announced = "";

const LAMPS = { waiting: "Waiting", live: "Live", silent: "No answer", paused: "Paused" };

const feed = new Feed(
  "monitor.json",
  step,
  (fresh) => {
    report = fresh;
    known = points.take(fresh.series);
    show();
  },
  showState,
);

function show() {
  if (!report) return;
  const chosen = document.querySelector("[name=window]:checked").value;
  showFigures(report, chosen);
  charts.draw(known, Number.parseInt(chosen, 10) * 60);
  if (element("every-point").open) showPoints();
}

function showPoints() {
  fill(
    "points",
    known
      .toReversed()
      .map(({ at, parts, t_total_ms, quantiles, levels, answers_per_second }) => [
        clock(at * 1000),
        ...[...Object.values(parts), t_total_ms, ...Object.values(quantiles)].map(milliseconds),
        ...[...Object.values(levels), answers_per_second].map(rate),
      ]),
  );
}

function showState() {
  document.body.dataset.state = feed.state;
  element("lamp").textContent = LAMPS[feed.state];
  showFreshness();
  const said =
    feed.state === "live"
      ? `Live. Store: ${report.store}. Ranker: ${report.ranker}.`
      : `${LAMPS[feed.state]}. ${freshness()}`;
  // Age goes on by the second: a state is announced when it begins.
  const about = feed.state === "live" ? said : `${feed.state} ${feed.silentSince}`;
  if (about !== announced) element("announcement").textContent = said;
  announced = about;
}

function freshness() {
  const figures = feed.answeredAt
    ? `figures of ${clock(feed.answeredAt)}, ${age((Date.now() - feed.answeredAt) / 1000)} old`
    : "there are no figures yet";
  switch (feed.state) {
    case "live":
      return `figures of ${clock(feed.answeredAt)}, every ${step} s`;
    case "silent":
      return `since ${clock(feed.silentSince)}; ${figures}`;
    case "paused":
      return figures;
    default:
      return "for the first answer";
  }
}

function showFreshness() {
  element("freshness").textContent = freshness();
}

document.querySelectorAll("[name=window]").forEach((choice) => choice.addEventListener("change", show));
element("every-point").addEventListener("toggle", show);
element("pause").addEventListener("click", ({ currentTarget }) => {
  feed.pause(!feed.paused);
  currentTarget.textContent = feed.paused ? "Resume" : "Pause";
});
setInterval(showFreshness, 1000);
feed.ask();
