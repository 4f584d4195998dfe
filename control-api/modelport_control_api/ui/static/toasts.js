// Short messages at the corner, read out by screen readers.
const GOOD_SECONDS = 5;

/** Show `text`; one of the same `id` replaces the one before. Bad ones stay until they are closed. */
export function toast(text, tone = "good", id = "") {
  const list = document.getElementById("toasts");
  if (id) list.querySelector(`[data-id="${id}"]`)?.remove();
  const element = document.createElement("div");
  element.className = `toast ${tone}`;
  element.dataset.id = id;
  const line = document.createElement("p");
  line.textContent = text;
  element.append(line);
  prepare(element, tone);
  list.append(element);
}

export function startToasts() {
  for (const element of document.querySelectorAll("#toasts .toast")) {
    prepare(element, element.classList.contains("bad") ? "bad" : "good");
  }
  // From the server, with htmx: HX-Trigger: {"toast": {"text": …, "tone": …}}.
  document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
}

function prepare(element, tone) {
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "✕";
  close.setAttribute("aria-label", "Close message");
  close.addEventListener("click", () => element.remove());
  element.append(close);
  if (tone !== "bad") setTimeout(() => element.remove(), GOOD_SECONDS * 1000);
}
