// Elements made of text, never of markup: names, classes and responses of models are untrusted.

/** `element("p", {class: "muted"}, "text", child…)` */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** `1 class`, `12,345 classes`: as `modelport_http.wording.counted` has it. */
export function counted(number, noun) {
  const plural = /(s|x|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
  return `${number.toLocaleString("en-US")} ${number === 1 ? noun : plural}`;
}

/** The message at its place beside a field, which is marked as wrong; an empty one takes both away. `input`: the
    field's element, where it is one. */
export function showError(place, message, input) {
  place.textContent = message;
  place.hidden = !message;
  if (message) input?.setAttribute("aria-invalid", "true");
  else input?.removeAttribute("aria-invalid");
}

/** The form's script is there to send it. */
export function enableSending(root) {
  for (const button of root.querySelectorAll("button[data-script]")) button.disabled = false;
}

/** The reason of a problem, which leads to its page of the documentation. */
export function reasonLink(reason) {
  return element("a", { class: "mono small", href: `/help/reasons/#${encodeURIComponent(reason)}` }, reason);
}

/** An error answer, in words: {title, detail, reason, errors}. */
export function describeProblem(status, text) {
  try {
    const problem = JSON.parse(text);
    return { title: `${status} ${problem.title ?? ""}`.trim(), detail: problem.detail ?? text, ...pick(problem) };
  } catch {
    return { title: `Status ${status}`, detail: text.slice(0, 500) || "Without a word.", errors: [] };
  }
}

function pick({ reason, errors }) {
  return { reason, errors: errors ?? [] };
}
