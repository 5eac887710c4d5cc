// Puts figures where the page names them: `data-figure` is a path into the chosen window of the report (or into that
// of `data-window`), `data-report` one into the report itself. All of it is put in as text, never as markup.

import { NONE, age, milliseconds, missing, number, percent, rate } from "./format.js";

const follow = (from, path) => path.split(".").reduce((value, key) => value?.[key], from);

// Of what is counted by name only names that were counted are told: with answers, the others are 0.
const counted = (value, window) => (window.answers ? number(value ?? 0, 0) : NONE);

const SHOWN = {
  ms: milliseconds,
  ms1: (value) => number(value, 1),
  count: (value) => number(value, 0),
  counted,
  rate: (value, window) => (window.answers ? rate(value) : NONE),
  share: (value, window, cell) => {
    const whole = window[cell.dataset.of];
    return whole ? percent((value ?? 0) / whole) : NONE;
  },
  percent,
  cache: ({ hits, misses }) =>
    hits + misses ? `Cache: ${number(hits, 0)} hits, ${number(misses, 0)} misses` : "Cache: not asked",
  impressions: ({ written, dropped }, window) =>
    `Impressions: ${counted(written, window)} written, ${counted(dropped, window)} dropped`,
  age,
  text: (value) => value ?? NONE,
  model: (value) => value ?? "none is promoted",
  health: (value) => value ?? NONE,
  bottleneck: (value, window) => (value ? `${value.stage}, ${percent(value.share)} of the time` : noAnswers(window)),
};

const noAnswers = (window) => `no answers in the last ${age(window.seconds)}`;

export function showFigures(report, chosen) {
  for (const cell of document.querySelectorAll("[data-figure]")) {
    const window = report.windows[cell.dataset.window ?? chosen];
    write(cell, SHOWN[cell.dataset.as](follow(window, cell.dataset.figure), window, cell));
  }
  for (const cell of document.querySelectorAll("[data-report]")) {
    const value = report[cell.dataset.report];
    write(cell, SHOWN[cell.dataset.as](value));
    if (cell.dataset.as === "health") cell.className = /^(ok|serves )/.test(value) ? "ok" : "ill";
  }
  const window = report.windows[chosen];
  showBar(window);
  showObjectives(window.objectives, report.objectives_unknown);
  showReasons(window);
}

/** The parts side by side, as one background: nothing of the page moves when they change. */
function showBar({ parts_ms, t_total_ms }) {
  let from = 0;
  const stripes = Object.entries(parts_ms).map(([part, value]) => {
    const to = from + (value / t_total_ms) * 100;
    const stripe = `var(--part-${part}) ${from}% calc(${to}% - 1px), var(--panel) 0 ${to}%`;
    from = to;
    return stripe;
  });
  const bar = document.getElementById("bar");
  bar.style.backgroundImage = t_total_ms ? `linear-gradient(to right, ${stripes.join(", ")})` : "none";
}

function showObjectives(objectives, unknown) {
  fill(
    "objectives",
    objectives.map((objective) => {
      const { description, bound, at_most, value, burn_rate, verdict, why } = objective;
      const known = !missing(value);
      return [
        known ? description : `${description}: ${why}`,
        `${at_most ? "≤" : "≥"} ${inItsUnit(objective, bound)}`,
        known ? inItsUnit(objective, value) : NONE,
        missing(burn_rate) ? NONE : `${number(burn_rate, 2)}×`,
        verdict,
      ];
    }),
  );
  for (const { cells } of document.getElementById("objectives").rows)
    cells[4].className = `verdict-${cells[4].textContent}`;
  const note = document.getElementById("objectives-unknown");
  note.hidden = unknown === null;
  write(note, unknown === null ? "" : `No objectives are known here: ${unknown}`);
}

function inItsUnit({ kind, unit }, value) {
  if (kind === "events") return `${Number((value * 100).toFixed(2))} %`;
  return unit === "s" ? age(value) : `${value} ${unit}`.trim();
}

function showReasons(window) {
  const reasons = Object.entries(window.degraded).sort((a, b) => b[1] - a[1]);
  fill(
    "reasons",
    reasons.map(([reason, count]) => [reason, number(count, 0), percent(count / window.answers)]),
  );
  const none = window.answers ? "Every answer was at the best level." : `There were ${noAnswers(window)}.`;
  const note = document.getElementById("reasons-note");
  write(note, reasons.length ? "" : none);
}

/** A table's body, row by row; the first cell of a row is its heading. Rows that are there are kept. */
export function fill(id, rows) {
  const body = document.getElementById(id);
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((texts, i) => {
    const row = body.rows[i] ?? body.insertRow();
    texts.forEach((text, j) => {
      if (!row.cells[j]) row.append(headed(j));
      write(row.cells[j], text);
    });
  });
}

function headed(column) {
  const cell = document.createElement(column ? "td" : "th");
  if (!column) cell.scope = "row";
  return cell;
}

function write(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}
