// The same call in the languages of those who will make it. Pure: text in, text out.

const KEY_VARIABLE = "MODELPORT_API_KEY";

/** The client of this very platform, or PyPI's where it was installed without one. */
export function install(call) {
  return `pip install ${call.wheel ? call.origin + call.wheel : "modelport"}`;
}

/** `call`: {origin, wheel (path or undefined), url, modelId, version (or null), body (JSON text), key (or null)}. */
export function curl(call) {
  const key = call.key ? shellQuoted(`X-API-Key: ${call.key}`) : `"X-API-Key: $${KEY_VARIABLE}"`;
  return [
    `curl -X POST ${shellQuoted(call.url)} \\`,
    `  -H ${key} \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d ${shellQuoted(call.body)}`,
  ].join("\n");
}

export function python(call) {
  const key = call.key ? pythonLiteral(call.key) : `os.environ["${KEY_VARIABLE}"]`;
  return [
    ...(call.key ? [] : ["import os", ""]),
    "import requests",
    "",
    "response = requests.post(",
    `    ${pythonLiteral(call.url)},`,
    `    headers={"X-API-Key": ${key}},`,
    `    json=${pythonLiteral(JSON.parse(call.body))},`,
    `    timeout=30,`,
    ")",
    "response.raise_for_status()",
    "print(response.json())",
  ].join("\n");
}

export function sdk(call) {
  const { input, return: wanted } = JSON.parse(call.body);
  const key = call.key ? pythonLiteral(call.key) : `os.environ["${KEY_VARIABLE}"]`;
  const given = [pythonLiteral(call.modelId), pythonLiteral(input)];
  if (call.version) given.push(`version=${pythonLiteral(call.version)}`);
  if (wanted) given.push(`return_=${pythonLiteral(wanted)}`);
  return [
    ...(call.key ? [] : ["import os", ""]),
    "from modelport import Modelport",
    "",
    `with Modelport(${pythonLiteral(call.origin)}, api_key=${key}) as platform:`,
    `    response = platform.predict(${given.join(", ")})`,
    "    print(response.prediction)",
  ].join("\n");
}

export function javascript(call) {
  const key = call.key ? JSON.stringify(call.key) : `process.env.${KEY_VARIABLE}`;
  return [
    `const response = await fetch(${JSON.stringify(call.url)}, {`,
    '  method: "POST",',
    `  headers: { "X-API-Key": ${key}, "Content-Type": "application/json" },`,
    `  body: JSON.stringify(${call.body}),`,
    "});",
    "if (!response.ok) throw new Error(await response.text());",
    "console.log(await response.json());",
  ].join("\n");
}

/** Any text as one word of a POSIX shell. */
export function shellQuoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function pythonLiteral(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pythonLiteral(item)}`);
    return `{${entries.join(", ")}}`;
  }
  // JSON's escapes of strings are Python's too; half a surrogate pair aside, which no form gives.
  return JSON.stringify(value);
}
