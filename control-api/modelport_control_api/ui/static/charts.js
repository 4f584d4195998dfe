// Draws every [data-chart] with uPlot (the macro `chart` of templates/parts/ui.html says what it holds).
const FORMATS = { "": 0, ms: 1, "%": 2, "/s": 1 };
let library = null;
const drawn = new Map();

export function startCharts() {
  drawAll();
  document.addEventListener("htmx:load", drawAll);
  document.addEventListener("theme", redrawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
}

async function drawAll() {
  for (const [figure, chart] of drawn) if (!figure.isConnected) forget(figure, chart);
  const waiting = [...document.querySelectorAll("[data-chart]")].filter((figure) => !drawn.has(figure));
  if (waiting.length === 0) return;
  const uPlot = await load();
  for (const figure of waiting) if (figure.isConnected && !drawn.has(figure)) draw(uPlot, figure);
}

function redrawAll() {
  for (const [figure, chart] of drawn) forget(figure, chart);
  drawAll();
}

function forget(figure, chart) {
  chart.resizing.disconnect();
  chart.plot?.destroy();
  drawn.delete(figure);
}

// Only pages with a chart fetch the library, once.
function load() {
  library ??= new Promise((resolve, reject) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("./vendor/uplot/uPlot.min.css", import.meta.url);
    const script = document.createElement("script");
    script.src = new URL("./vendor/uplot/uPlot.iife.min.js", import.meta.url);
    script.addEventListener("load", () => resolve(window.uPlot));
    script.addEventListener("error", reject);
    document.head.append(sheet, script);
  });
  return library;
}

function draw(uPlot, figure) {
  const data = JSON.parse(figure.dataset.chart);
  const place = figure.querySelector(".plot");
  const resizing = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: data.height }));
  const plot = data.x.length === 0 ? null : new uPlot(optionsOf(uPlot, data, place), columnsOf(data), place);
  resizing.observe(place);
  drawn.set(figure, { plot, resizing });
  fillTable(figure, data);
}

function columnsOf(data) {
  return [data.x, ...data.series.map((one) => one.values)];
}

function optionsOf(uPlot, data, place) {
  const color = (name) => resolve(place, `--${name}`);
  const axis = {
    stroke: color("muted"),
    font: "12px system-ui, sans-serif",
    ticks: { show: false },
    grid: { stroke: color("line"), width: 1 },
  };
  return {
    width: place.clientWidth,
    height: data.height,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: { y: false, drag: { setScale: false, x: false }, points: { size: 7 } },
    scales: { y: { range: (_plot, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.1 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 32, space: 64, values: (_plot, ticks, _axis, _space, step) => ticks.map((tick) => timeOf(tick, step)) },
      { ...axis, size: data.unit ? 60 : 46, space: 40, ...wholeSteps(data), values: (_plot, ticks) => ticks.map((tick) => shown(tick, data.unit, true)) },
    ],
    series: [{}, ...data.series.map((one, index) => seriesOf(uPlot, data, one, color(`chart-${one.color ?? index + 1}`)))],
    plugins: [tooltip(data)],
  };
}

function seriesOf(uPlot, data, one, stroke) {
  const bars = data.kind === "bars";
  return {
    label: one.label,
    stroke,
    width: bars ? 0 : 2,
    fill: bars ? stroke : data.kind === "area" ? faded(stroke) : undefined,
    paths: bars ? uPlot.paths.bars({ size: [0.7, 24], radius: 0.2 }) : undefined,
    // A line needs two points: where there are few, each is seen by itself.
    points: { show: !bars && one.values.filter((value) => value != null).length <= 12, size: 6 },
  };
}

// Nobody sends half a request.
function wholeSteps(data) {
  const counts = data.unit === "" && data.series.every((one) => one.values.every((value) => value == null || Number.isInteger(value)));
  return counts ? { incrs: [1, 2, 5].flatMap((step) => Array.from({ length: 10 }, (_, power) => step * 10 ** power)).sort((a, b) => a - b) } : {};
}

// Midnight has the day's name; steps of days have nothing else.
function timeOf(seconds, step) {
  const moment = new Date(seconds * 1000);
  const isDay = step >= 86400 || (moment.getHours() === 0 && moment.getMinutes() === 0);
  return isDay
    ? moment.toLocaleDateString(undefined, { day: "numeric", month: "short" })
    : moment.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function tooltip(data) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  const show = (plot) => {
    const index = plot.cursor.idx;
    tip.hidden = index == null || plot.cursor.left < 0;
    if (tip.hidden) return;
    tip.replaceChildren(line(momentOf(data.x[index])), ...data.series.map((one, at) => lineOf(data, one, at, index)));
    const onRight = plot.cursor.left > plot.over.clientWidth / 2;
    tip.style.left = onRight ? "" : `${plot.over.offsetLeft + plot.cursor.left + 12}px`;
    tip.style.right = onRight ? `${plot.root.clientWidth - plot.over.offsetLeft - plot.cursor.left + 12}px` : "";
    tip.style.top = "8px";
  };
  return { hooks: { init: (plot) => plot.root.append(tip), setCursor: show } };
}

function lineOf(data, one, at, index) {
  const key = document.createElement("span");
  key.className = `key c${one.color ?? at + 1}`;
  const value = document.createElement("b");
  value.textContent = shown(one.values[index], data.unit);
  return line(key, one.label, value);
}

function line(...content) {
  const element = document.createElement("div");
  element.append(...content);
  return element;
}

function fillTable(figure, data) {
  const body = figure.querySelector("[data-chart-table] tbody");
  if (!body) return;
  const rows = data.x.map((moment, index) => {
    const row = document.createElement("tr");
    const cells = [momentOf(moment), ...data.series.map((one) => shown(one.values[index], data.unit))];
    for (const [at, text] of cells.entries()) {
      const cell = document.createElement("td");
      if (at > 0) cell.className = "number";
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  body.replaceChildren(...rows);
}

function momentOf(seconds) {
  return new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function shown(value, unit, short = false) {
  if (value == null) return "–";
  const number = value.toLocaleString(undefined, {
    maximumFractionDigits: value !== 0 && Math.abs(value) < 1 ? 3 : (FORMATS[unit] ?? 1),
    notation: short && Math.abs(value) >= 10000 ? "compact" : "standard",
  });
  return unit ? `${number}${unit === "/s" ? "" : " "}${unit}` : number;
}

// Canvas takes no light-dark(): the browser resolves it on an element.
function resolve(place, name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

function faded(color) {
  return color.replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)");
}
