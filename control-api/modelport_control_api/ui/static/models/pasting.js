// "Paste a row": what was copied elsewhere goes into the form's fields, or into its JSON.

import { counted, showError } from "./dom.js";
import { parseRow, placed } from "./pasted-row.js";

/** The form's fields follow what is typed or pasted into its box. */
export function startPasting(form) {
  const box = form.querySelector("#pasted");
  box?.addEventListener("input", () => follow(form, box));
}

function follow(form, box) {
  const place = form.querySelector("#pasted-error");
  const said = form.querySelector("#pasted-said");
  showError(place, "", box);
  said.textContent = "";
  if (box.value.trim() === "") return;
  try {
    said.textContent = take(form, box.value);
  } catch (error) {
    showError(place, error.message, box);
  }
}

/** Says what was done. Throws an Error with a sentence, before anything was. */
function take(form, text) {
  const columns = form.dataset.mode === "fields" ? columnsOfFields(form) : columnsOfJson(form);
  const row = parseRow(text, columns.names);
  // Of a model without names the order counts, whatever the row calls its values.
  const byPlace = columns.areNameless && row.values.length === columns.names.length;
  const found = placed(byPlace ? { ...row, names: null } : row, columns.names);
  found.values.forEach(requireExact);
  const missing = columns.names.filter((_, at) => found.values[at] === undefined);
  columns.fill(found.values, row.isJson);
  return summary(columns.names.length - missing.length, missing, found.extra, row.rows);
}

function summary(filled, missing, extra, rows) {
  const parts = [`${counted(filled, "value")} filled in`];
  if (missing.length) parts.push(`not in it, left as they were: ${listed(missing)}`);
  if (extra.length) parts.push(`not taken by the model: ${listed(extra)}`);
  if (rows > 1) parts.push(`the first of ${counted(rows, "row")}`);
  return `${parts.join("; ")}.`;
}

function listed(names) {
  const others = names.length > 5 ? ` and ${names.length - 5} more` : "";
  return names.slice(0, 5).join(", ") + others;
}

/** JavaScript reads 9007199254740993 as another number: better none than that. */
function requireExact(value) {
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new Error("It has a whole number beyond 2^53, which a browser would change: send such a row by code.");
  }
}

// Fields

function columnsOfFields(form) {
  const fields = [...form.querySelectorAll("[data-control]")];
  const names = fields.map((field) => field.dataset.name);
  const fill = (values, isJson) => fillFields(fields, values, isJson);
  return { names, areNameless: form.dataset.positional !== undefined, fill };
}

function fillFields(fields, values, isJson) {
  const texts = fields.map((field, at) => (values[at] === undefined ? field.value : textFor(field, values[at], isJson)));
  fields.forEach((field, at) => {
    field.value = texts[at];
  });
}

function textFor(field, value, isJson) {
  if (field.dataset.control === "choice") return choiceFor(field, value);
  if (value === null) return "";
  if (typeof value !== "string") return JSON.stringify(value);
  if (field.dataset.control === "text") return value;
  if (!isJson) return isMissing(value) ? "" : value.trim();
  // In quotes it stays the text that it was.
  return field.dataset.control === "any" && isNumberOrTruth(value) ? JSON.stringify(value) : value;
}

function isMissing(cell) {
  return /^(na|n\/a|nan|null|none|)$/i.test(cell.trim());
}

function choiceFor(field, value) {
  const wanted = value === null ? "" : String(value).trim();
  const fits = (option) => option.value === JSON.stringify(value) || option.text.toLowerCase() === wanted.toLowerCase();
  const option = [...field.options].find((each) => (wanted === "" ? each.value === "" : fits(each)));
  if (!option) throw new Error(`${field.dataset.name} has no choice “${wanted.slice(0, 40)}”.`);
  return option.value;
}

function isNumberOrTruth(text) {
  return /^(true|false)$/.test(text) || (text.trim() !== "" && Number.isFinite(Number(text)));
}

// JSON, of models with too many columns for fields

function columnsOfJson(form) {
  const editor = form.elements.row;
  const before = asJson(editor.value);
  const isList = Array.isArray(before);
  const names = isList ? before.map((_, at) => `x${at}`) : Object.keys(before ?? {});
  const fill = (values, isJson) => {
    const olds = Object.values(before ?? {});
    const taken = (value, old) => (isJson ? value : cellLike(value, old));
    const row = values.map((value, at) => (value === undefined ? olds[at] : taken(value, olds[at])));
    const whole = isList ? row : Object.fromEntries(names.map((name, at) => [name, row[at]]));
    editor.value = JSON.stringify(whole, null, 2);
  };
  return { names, areNameless: isList, fill };
}

function asJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("The row below is not JSON, so its columns are unknown: load the page again.");
  }
}

/** A cell of CSV is a text: it becomes what the value was that stood in its place. */
function cellLike(value, former) {
  if (typeof former === "string") return value;
  if (isMissing(value)) return null;
  if (/^(true|false)$/i.test(value.trim())) return value.trim().toLowerCase() === "true";
  return isNumberOrTruth(value) ? exact(value) : value;
}

function exact(text) {
  requireExact(Number(text));
  return Number(text);
}
