// Training rows for a version that is there already: the drift card's form.

import { fetchSignedIn } from "../access.js";
import { toast } from "../toasts.js";
import { describeProblem, enableSending, showError } from "./dom.js";

// The card is fetched again now and then, and its form with it.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-reference]")) return;
  event.preventDefault();
  send(event.target);
});
enableSending(document);
document.addEventListener("htmx:afterSettle", () => enableSending(document));

async function send(form) {
  const chosen = form.elements.reference.files[0];
  if (!chosen) return say(form, "Choose a CSV file first.");
  say(form, "");
  const button = form.querySelector("button");
  button.setAttribute("aria-busy", "true");
  try {
    const response = await fetchSignedIn(form.dataset.reference, { method: "PUT", body: chosen, headers: { "Content-Type": "text/csv" } });
    if (!response.ok) return say(form, sentenceOf(describeProblem(response.status, await response.text())));
    toast("Live inputs are compared with these rows from now on.");
    form.reset();
    for (const folded of form.closest("#drift").querySelectorAll("details[open]")) folded.open = false;
    // Its importance begins to be computed of them, too.
    document.querySelector("#importance")?.dispatchEvent(new Event("refresh"));
    form.closest("#drift").dispatchEvent(new Event("refresh"));
  } catch (error) {
    say(form, error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function sentenceOf({ detail, errors }) {
  return errors.length ? errors.map((error) => `The file: ${error.message}.`).join(" ") : detail;
}

function say(form, message) {
  showError(form.querySelector("[data-error]"), message, form.elements.reference);
  if (message) form.elements.reference.focus();
}
