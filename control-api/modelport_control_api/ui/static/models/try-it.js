// "Try it": the form's row to the model, its response beside it, and the same call as code.

import { fetchSignedIn } from "../access.js";
import { startTabs } from "./tabs.js";
import { curl, install, javascript, python, sdk } from "./snippets.js";
import { counted, describeProblem, element, enableSending, reasonLink, showError } from "./dom.js";
import { startPasting } from "./pasting.js";
import { contributionBars } from "./contributions.js";

const WRITERS = { curl, python, install, sdk, javascript };
const MAX_BARS = 20;
const DAY_MILLISECONDS = 86_400_000;

for (const root of document.querySelectorAll("[data-try]")) start(root);

function start(root) {
  const form = root.querySelector("form");
  const state = { key: null };
  const refresh = () => writeSnippets(root, form, state.key);
  startTabs(root);
  // Before the snippets are written again: both hear of what is typed.
  startPasting(form);
  form.addEventListener("input", refresh);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    predict(root, form);
  });
  enableSending(form);
  root.querySelector("[data-make-key]")?.addEventListener("click", async (event) => {
    state.key = (await makeKey(root, event.currentTarget)) ?? state.key;
    refresh();
  });
  refresh();
}

// The body

/** The request's body as JSON text, or null where a field is no JSON; that field says so. */
function readBody(form) {
  const row = readRow(form);
  if (row === null) return null;
  return `{"input": ${row}${wantedOf(form)}}`;
}

/** The outputs to return, as the end of the body; empty: the prediction alone. */
function wantedOf(form) {
  const wanted = ["prediction"];
  if (form.dataset.probabilities) wanted.push("probabilities");
  if (form.elements.contributions?.checked) wanted.push("contributions");
  return wanted.length > 1 ? `, "return": [${wanted.map((name) => `"${name}"`).join(", ")}]` : "";
}

function readRow(form) {
  const mode = form.dataset.mode;
  if (mode === "text") return JSON.stringify(form.elements.row.value);
  if (mode === "json") return isJson(form.elements.row.value) ? form.elements.row.value : null;
  const fields = [...form.querySelectorAll("[data-control]")];
  const values = fields.map((field) => [field.dataset.name, readField(field)]);
  if (form.dataset.positional) return `[${values.map(([, value]) => value ?? "null").join(", ")}]`;
  const sent = values.filter(([, value]) => value !== null);
  return `{${sent.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(", ")}}`;
}

/** JSON text; null: left out. What is no number is sent as it is: the model says what is wrong with it. */
function readField(field) {
  const text = field.value;
  switch (field.dataset.control) {
    case "choice":
      return text === "" ? null : text;
    case "text":
      return text === "" && field.dataset.optional ? null : JSON.stringify(text);
    default:
      if (text.trim() === "") return null;
      return isScalar(text.trim()) ? text.trim() : JSON.stringify(text);
  }
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isScalar(text) {
  return isJson(text) && typeof JSON.parse(text) !== "object";
}

// The response

async function predict(root, form) {
  const place = root.querySelector("[data-answer]");
  const button = form.querySelector("[type=submit]");
  clearErrors(form);
  const body = readBody(form);
  if (body === null) {
    showErrors(form, [{ field: "input", message: "is not JSON: check commas, quotes and brackets" }]);
    return;
  }
  button.setAttribute("aria-busy", "true");
  try {
    await showCall(place, form, body);
  } catch (error) {
    place.replaceChildren(note("bad", "The platform could not be reached", error.message));
  } finally {
    button.removeAttribute("aria-busy");
    // In a narrow window it is below the form.
    if (matchMedia("(max-width: 860px)").matches) place.closest(".answer").scrollIntoView({ block: "nearest" });
  }
}

async function showCall(place, form, body) {
  const headers = { "Content-Type": "application/json" };
  if (form.elements.fresh?.checked) headers["Cache-Control"] = "no-cache";
  const began = performance.now();
  const response = await fetchSignedIn(pathOf(form), { method: "POST", headers, body });
  const text = await response.text();
  const took = performance.now() - began;
  if (response.ok) {
    place.replaceChildren(...rendered(JSON.parse(text), response.headers, took, text));
    return;
  }
  const problem = describeProblem(response.status, text);
  showErrors(form, problem.errors);
  place.replaceChildren(note("bad", problem.title, problem.detail, problem.reason));
  form.querySelector("[aria-invalid]")?.focus();
}

function rendered(response, headers, took, text) {
  const parts = [
    element("p", { class: "muted small" }, "Prediction"),
    element("p", { class: "answer-value" }, shown(response.prediction)),
    facts(response, headers, took),
  ];
  if (response.probabilities) parts.push(bars(response.probabilities));
  parts.push(...contributionBars(response.contributions, shown(response.prediction)));
  const raw = element("details", { class: "answer-raw" }, element("summary", {}, "The response as JSON"));
  raw.append(element("pre", {}, JSON.stringify(JSON.parse(text), null, 2)));
  return [...parts, raw];
}

function facts(response, headers, took) {
  const cache = headers.get("X-Cache");
  const words = { hit: "from the cache", miss: "computed now", bypass: "computed now, cache off" };
  return element(
    "ul",
    { class: "answer-facts" },
    element("li", {}, `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`),
    element("li", { "data-cache": cache ?? "" }, words[cache] ?? "computed now"),
    element("li", {}, `version ${headers.get("X-Modelport-Version") ?? response.version}`),
  );
}

/** The likeliest first; a thousand classes would bury the response. */
function bars(probabilities) {
  const pairs = Object.entries(probabilities).flatMap(([name, value]) =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([inner, share]) => [`${name}: ${inner}`, share])
      : [[name, value]],
  );
  const ranked = pairs.sort((one, other) => (other[1] ?? 0) - (one[1] ?? 0));
  const list = element("ul", { class: "shares", "aria-label": "Probabilities" });
  for (const [name, share] of ranked.slice(0, MAX_BARS)) list.append(bar(name, share));
  if (ranked.length > MAX_BARS) list.append(element("li", { class: "muted small" }, `and ${counted(ranked.length - MAX_BARS, "more class")}`));
  return list;
}

function bar(name, share) {
  const fill = element("span", { class: "share-fill" });
  fill.style.inlineSize = `${Math.max(0, Math.min(1, share ?? 0)) * 100}%`;
  return element(
    "li",
    { class: "share" },
    element("span", { class: "share-name truncate", title: name }, name),
    element("span", { class: "share-track", "aria-hidden": "true" }, fill),
    element("span", { class: "number" }, share === null ? "–" : `${(share * 100).toFixed(1)} %`),
  );
}

function note(kind, title, detail, reason) {
  const text = element("div", {}, element("strong", {}, title), element("p", {}, detail));
  if (reason) text.append(element("p", {}, reasonLink(reason)));
  return element("div", { class: `note ${kind}` }, text);
}

function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

// Errors beside their fields

function showErrors(form, errors) {
  for (const { field, message } of errors ?? []) {
    const input = inputOf(form, field);
    const place = input && form.querySelector(`#${CSS.escape(`${input.id}-error`)}`);
    if (place) showError(place, message, input);
  }
}

function inputOf(form, field) {
  const path = field.replace(/^input/, "");
  if (form.dataset.mode !== "fields") return form.elements.row;
  const fields = [...form.querySelectorAll("[data-control]")];
  const index = /^\[(\d+)\]$/.exec(path);
  return index ? fields[Number(index[1])] : fields.find((each) => `.${each.dataset.name}` === path);
}

function clearErrors(form) {
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".field-error")) showError(place, "");
}

// The same call as code

function writeSnippets(root, form, key) {
  const body = readBody(form);
  if (body === null) return;
  // A path where the platform does not know its address: then it is this page's.
  const endpoint = new URL(form.dataset.url, location.href);
  const call = {
    origin: endpoint.origin,
    wheel: form.dataset.wheel,
    url: endpoint.href + versionPath(form),
    modelId: form.dataset.model,
    version: form.elements.version?.value || null,
    body,
    key,
  };
  for (const place of root.querySelectorAll("[data-snippet]")) {
    place.textContent = WRITERS[place.dataset.snippet](call);
  }
}

function pathOf(form) {
  return `/predict/${encodeURIComponent(form.dataset.model)}${versionPath(form)}`;
}

function versionPath(form) {
  const version = form.elements.version?.value;
  return version ? `/versions/${encodeURIComponent(version)}` : "";
}

/** A key of its own for this one model; shown in the code, and nowhere else again. */
async function makeKey(root, button) {
  button.disabled = true;
  const said = root.querySelector("[data-key-said]");
  const model = root.querySelector("form").dataset.model;
  const response = await fetchSignedIn("/api/v1/api-keys", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      name: `Try it: ${model}`,
      scopes: ["predict"],
      model_ids: [model],
      // Nobody looks after what a click made.
      expires_at: new Date(Date.now() + DAY_MILLISECONDS).toISOString(),
    }),
  });
  const text = await response.text();
  if (!response.ok) {
    said.textContent = describeProblem(response.status, text).detail;
    button.disabled = false;
    return null;
  }
  said.textContent =
    "A key for this model is in the code now. It ends in a day and is shown this once; API keys lists it.";
  return JSON.parse(text).key;
}
