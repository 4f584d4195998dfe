// Contributions as bars from a common middle: to the right what raised the sum, to the left what lowered it.

import { counted, element } from "./dom.js";

const MAX_TERMS = 15;
const SUMS = {
  prediction: "the prediction",
  log_prediction: "the prediction's logarithm",
  probability: "the probability",
  log_odds: "the log-odds",
  score: "the score",
};

/** Elements for a row's contributions; none where another output is called so. */
export function contributionBars(contributions, predicted) {
  const sums = sumsOf(contributions);
  if (sums === null) return [];
  const place = element("div", { class: "stack snug" });
  const names = Object.keys(sums);
  const show = (name) => place.replaceChildren(...termsOf(sums[name], contributions.scale, name));
  const first = names.includes(predicted) ? predicted : names[0];
  show(first);
  return names.length > 1 ? [chooser(names, first, show), place] : [place];
}

/** By class; by an empty name where there are none. */
function sumsOf(contributions) {
  const { classes, values, base } = contributions ?? {};
  if (classes && typeof classes === "object") return classes;
  return values && base !== undefined ? { [contributions.class ?? ""]: contributions } : null;
}

function chooser(names, first, show) {
  const select = element("select", { class: "input", id: "explained-class" });
  for (const name of names) select.append(element("option", name === first ? { value: name, selected: "" } : { value: name }, name));
  select.addEventListener("change", () => show(select.value));
  return element("label", { class: "row small", for: "explained-class" }, "Contributions to ", select);
}

function termsOf({ base, values }, scale, name) {
  const terms = Object.entries(values).sort((one, other) => Math.abs(other[1] ?? 0) - Math.abs(one[1] ?? 0));
  const numbers = [base, ...terms.map(([, value]) => value)].map((value) => value ?? NaN);
  const total = sumOf(numbers);
  const what = `${SUMS[scale] ?? scale}${name ? ` of ${name}` : ""}`;
  const widest = Math.abs(terms[0]?.[1] ?? 0) || 1;
  const list = element("ul", { class: "shares terms", "aria-label": `Contributions to ${what}` });
  for (const [column, value] of terms.slice(0, MAX_TERMS)) list.append(termOf(column, value, widest));
  const rest = terms.slice(MAX_TERMS);
  if (rest.length) {
    const together = sumOf(rest.map(([, value]) => value ?? NaN));
    list.append(element("li", { class: "muted small" }, `${counted(rest.length, "more input")}, together ${signed(together)}`));
  }
  const sentence = `From ${plain(base)}, the model's mean or starting point, to ${plain(total)}: ${what}.`;
  return [element("p", { class: "muted small" }, sentence), list];
}

/** What is left of the terms' rounding alone is nothing. */
function sumOf(numbers) {
  const sum = numbers.reduce((before, each) => before + each, 0);
  return Math.abs(sum) < 1e-12 * Math.max(...numbers.map(Math.abs)) ? 0 : sum;
}

function termOf(column, value, widest) {
  const fill = element("span", { class: value < 0 ? "term-fill lowers" : "term-fill" });
  fill.style.inlineSize = `${(Math.abs(value ?? 0) / widest) * 50}%`;
  return element(
    "li",
    { class: "share" },
    element("span", { class: "share-name truncate", title: column }, column),
    element("span", { class: "share-track term-track", "aria-hidden": "true" }, fill),
    element("span", { class: "number" }, signed(value)),
  );
}

function signed(value) {
  return Number.isFinite(value) ? `${value < 0 ? "−" : "+"}${plain(Math.abs(value))}` : "–";
}

function plain(value) {
  return Number.isFinite(value) ? Number(value.toPrecision(3)).toString().replace("-", "−") : "–";
}
