// A row from elsewhere, as text: JSON, or CSV with or without its line of names. Pure.

import { counted } from "./dom.js";

/** `{names, values, rows, isJson}`: `names` null where the row has none; `rows`: how many there were, of which
    it is the first. Values are as JSON has them; of CSV they are texts. Throws an Error with a sentence. */
export function parseRow(text, columns) {
  // Not tabs: they separate cells, of which the first may be empty.
  const trimmed = text.replace(/^[\r\n ]+|[\r\n ]+$/g, "");
  if (trimmed === "") throw new Error("There is nothing in it yet.");
  return /^[[{]/.test(trimmed) ? ofJson(trimmed) : ofCsv(trimmed, columns);
}

function ofJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("It is not JSON: check commas, quotes and brackets.");
  }
  const found = rowsOf(value);
  const names = Array.isArray(found[0]) ? null : Object.keys(found[0]);
  return { names, values: Object.values(found[0]), rows: found.length, isJson: true };
}

/** A request's body holds its row as `input`, or several as `inputs`. */
function rowsOf(value) {
  if (!Array.isArray(value)) {
    const keys = Object.keys(value);
    if (keys.includes("inputs") && Array.isArray(value.inputs)) return rowsOf(value.inputs);
    return keys.includes("input") && isRow(value.input) ? [value.input] : [value];
  }
  return value.length > 0 && value.every(isRow) ? value : [value];
}

function isRow(value) {
  return typeof value === "object" && value !== null;
}

function ofCsv(text, columns) {
  const [first, ...others] = records(text);
  const isHeader = first.some((cell) => columns.includes(cell.trim())) || (others.length > 0 && areNames(first, others[0]));
  const rows = isHeader ? others : [first, ...others];
  if (rows.length === 0) throw new Error("These are names alone: add the line with the values.");
  const [row] = rows;
  if (isHeader && row.length !== first.length) {
    throw new Error(`The row has ${counted(row.length, "cell")}, and the line of names above it has ${first.length}.`);
  }
  return { names: isHeader ? first.map((cell) => cell.trim()) : null, values: row, rows: rows.length, isJson: false };
}

/** A model that knows no names takes rows that have some. */
function areNames(first, second) {
  return !first.some(isNumber) && second.some(isNumber);
}

function isNumber(cell) {
  return cell.trim() !== "" && Number.isFinite(Number(cell));
}

/** Lines of cells (RFC 4180), with the delimiter that the first line has most of. Empty lines are left out. */
function records(text) {
  const [line] = text.split("\n", 1);
  const delimiter = [",", ";", "\t"].reduce((best, each) => (count(line, each) > count(line, best) ? each : best));
  const found = [[""]];
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    const record = found.at(-1);
    const last = record.length - 1;
    if (isQuoted && character === '"' && text[at + 1] === '"') {
      record[last] += '"';
      at += 1;
    } else if (character === '"' && (isQuoted || record[last] === "")) isQuoted = !isQuoted;
    else if (isQuoted) record[last] += character;
    else if (character === delimiter) record.push("");
    else if (character === "\n") found.push([""]);
    else if (character !== "\r") record[last] += character;
  }
  return found.filter((record) => record.length > 1 || record[0] !== "");
}

function count(text, character) {
  return text.split(character).length - 1;
}

/** The values by the columns' places; undefined where the row has none. `extra`: its names that are no columns. */
export function placed({ names, values }, columns) {
  if (names === null) {
    if (values.length !== columns.length) throw new Error(lengthsDiffer(values.length, columns.length));
    return { values, extra: [] };
  }
  const byName = new Map(names.map((name, at) => [name, values[at]]));
  if (!columns.some((name) => byName.has(name))) throw new Error("None of its names is one of the model's.");
  // The index of a DataFrame has no name.
  const extra = names.filter((name) => name !== "" && !columns.includes(name));
  return { values: columns.map((name) => byName.get(name)), extra };
}

function lengthsDiffer(given, wanted) {
  return `It has ${counted(given, "value")} without names, and the model takes ${wanted}: put the line of names above it.`;
}
