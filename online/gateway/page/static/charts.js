// The three charts over the last 15 minutes, drawn by uPlot in the colours of theme.css.

import { clock, milliseconds, missing, rate } from "./format.js";
import { SPAN_SECONDS } from "./points.js";

/* global uPlot */

const HEADROOM = 1.08;
// In pixels: of "16:20" in the axis's font, and of the scale to the left.
const LABEL_WIDTH = 34;
const SCALE_WIDTH = 46;

const CHARTS = [
  { id: "parts", column: "parts", colour: "part", stacked: true, show: milliseconds },
  { id: "levels", column: "levels", colour: "level", stacked: true, show: rate },
  { id: "quantiles", column: "quantiles", colour: "quantile", stacked: false, show: milliseconds },
];

export class Charts {
  /** `stepSeconds`: what one point covers. */
  constructor(stepSeconds) {
    this.stepSeconds = stepSeconds;
    this.points = [];
    this.windowSeconds = 0;
    this.plots = [];
    this.build();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
    const sizes = new ResizeObserver(() => this.plots.forEach(({ plot, place }) => plot.setSize(sizeOf(place))));
    for (const { id } of CHARTS) sizes.observe(document.getElementById(id));
  }

  /** `windowSeconds`: the part of the chart that the figures beside it are of. */
  draw(points, windowSeconds) {
    Object.assign(this, { points, windowSeconds });
    const quiet = !points.some((point) => point.answers_per_second);
    for (const { chart, names, plot, place } of this.plots) {
      place.nextElementSibling.hidden = !quiet;
      plot.setData([points.map((point) => point.at), ...columns(chart, names, points)]);
      this.read(chart, names, place, null);
    }
  }

  build() {
    this.plots.forEach(({ plot }) => plot.destroy());
    this.plots = CHARTS.map((chart) => {
      const place = document.getElementById(chart.id);
      const names = [...place.parentElement.querySelectorAll("[data-name]")].map((item) => item.dataset.name);
      return {
        chart,
        names,
        place,
        plot: new uPlot(this.options(chart, names, place), [[], ...names.map(() => [])], place),
      };
    });
    if (this.points.length) this.draw(this.points, this.windowSeconds);
  }

  options(chart, names, place) {
    const colours = getComputedStyle(document.documentElement);
    const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { font, stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
    const drawn = chart.stacked ? [...names].reverse() : names;
    return {
      ...sizeOf(place),
      legend: { show: false },
      padding: [6, 0, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: "monitor" } },
      scales: {
        x: { time: true, range: () => this.span() },
        y: { range: (_, low, high) => [0, high > 0 ? high * HEADROOM : 1] },
      },
      axes: [
        { ...axis, size: 26, space: 70, values: (plot, splits) => splits.map((at) => this.label(plot, at)) },
        { ...axis, size: SCALE_WIDTH, space: 34, gap: 6 },
      ],
      series: [
        {},
        ...drawn.map((name) =>
          chart.stacked
            ? {
                fill: colour(`${chart.colour}-${name}`),
                stroke: colour("panel"),
                width: 1,
                points: { show: false },
                paths: this.steps,
              }
            : { stroke: colour(`${chart.colour}-${name}`), width: 1.75, points: { size: 4 } },
        ),
      ],
      hooks: {
        drawClear: [(plot) => this.markWindow(plot, colour("window"))],
        setCursor: [(plot) => this.read(chart, names, place, plot.cursor.idx)],
      },
    };
  }

  /** Hours and minutes; nothing where the right edge would cut them. */
  label(plot, at) {
    const room = ((this.span()[1] - at) / SPAN_SECONDS) * (plot.width - SCALE_WIDTH);
    return room < LABEL_WIDTH / 2 ? "" : clock(at * 1000).slice(0, 5);
  }

  span() {
    const newest = this.points.at(-1)?.at ?? Date.now() / 1000;
    return [newest - SPAN_SECONDS, newest];
  }

  markWindow(plot, colour) {
    const { left, top, width, height } = plot.bbox;
    const from = Math.max(left, plot.valToPos(this.span()[1] - this.windowSeconds, "x", true));
    plot.ctx.fillStyle = colour;
    plot.ctx.fillRect(from, top, left + width - from, height);
  }

  /** Each point holds from the end of the one before to its own: a step, and a hole where nothing was measured. */
  steps = (plot, series, first, last) => {
    const [at, values] = [plot.data[0], plot.data[series]];
    const x = (value) => plot.valToPos(value, "x", true);
    const y = (value) => plot.valToPos(value, "y", true);
    const [fill, stroke] = [new Path2D(), new Path2D()];
    for (let i = first, joined = false; i <= last; i++) {
      if (missing(values[i])) continue;
      const [from, to, top] = [x(at[i] - this.stepSeconds), x(at[i]), y(values[i])];
      if (!joined) fill.moveTo(from, y(0));
      fill.lineTo(from, top);
      fill.lineTo(to, top);
      joined = i < last && !missing(values[i + 1]) && at[i + 1] - at[i] === this.stepSeconds;
      if (!joined) fill.lineTo(to, y(0));
      // Only the tops part one colour from the next: on a phone a step is hardly wider than a line.
      stroke.moveTo(from, top);
      stroke.lineTo(to, top);
    }
    return { fill, stroke };
  };

  /** The point under the cursor as text, or the newest one. */
  read(chart, names, place, index) {
    const point = this.points[index ?? this.points.length - 1];
    const readout = place.parentElement.querySelector(".readout");
    if (!point) return;
    readout.querySelector("time").textContent = clock(point.at * 1000);
    readout.querySelectorAll("[data-name]").forEach((item, i) => {
      item.textContent = chart.show(point[chart.column][names[i]]);
    });
  }
}

function columns(chart, names, points) {
  if (!chart.stacked) return names.map((name) => points.map((point) => point[chart.column][name]));
  const sums = names.map(() => []);
  for (const point of points) {
    let sum = 0;
    names.forEach((name, i) => {
      const value = point[chart.column][name];
      sums[i].push(point.answers_per_second ? (sum += value ?? 0) : null);
    });
  }
  // The tallest is drawn first, and the ones below it over it.
  return sums.reverse();
}

function sizeOf(place) {
  return { width: place.clientWidth, height: place.clientHeight };
}
