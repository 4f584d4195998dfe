// What every page does: htmx's safety and manners, toasts, copying, dialogs, menus, the theme.
import "./vendor/htmx.org/htmx.min.js";
import { startCharts } from "./charts.js";
import { startThemes } from "./theme.js";
import { rememberTimeZone } from "./time-zone.js";
import { startToasts, toast } from "./toasts.js";

const csrfToken = document.querySelector('meta[name="csrf-token"]').content;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrfToken;
});

// What polls (hx-trigger="every 3s, refresh") rests while nobody sees it, and catches up when somebody does.
document.addEventListener("htmx:beforeRequest", (event) => {
  // htmx has no event for a poll: that is how it is distinguished from a refresh.
  const isUnasked = event.detail.requestConfig.triggeringEvent === undefined;
  const polls = isUnasked && event.detail.elt.matches('[hx-trigger*="every"]');
  if (polls && (document.hidden || partsOf(event.detail.elt).some(isBeingRead))) event.preventDefault();
});

// What a poll replaces: the element itself, and what comes with it, so that both show one reading.
function partsOf(element) {
  const other = element.dataset.with ? document.querySelector(element.dataset.with) : null;
  return other ? [element, other] : [element];
}

// A part that was unfolded or marked stays as it is: a new one would fold it and lose the mark.
function isBeingRead(element) {
  const selection = getSelection();
  const isMarked = !selection.isCollapsed && element.contains(selection.anchorNode);
  const hasChosenFile = [...element.querySelectorAll("input[type=file]")].some((input) => input.files.length > 0);
  return isMarked || hasChosenFile || element.querySelector("details[open]") !== null;
}

// Charts come with every poll of their page's figures: drawn again only with other figures, and not under a pointer.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const drawn = figuresOf(target);
  if (drawn.length === 0) return;
  const isSame = JSON.stringify(drawn) === JSON.stringify(figuresOf(fragment));
  if (isSame || target.querySelector(".plot:hover") || isBeingRead(target)) event.detail.shouldSwap = false;
});

function figuresOf(part) {
  return [...part.querySelectorAll("[data-chart]")].map((figure) => figure.dataset.chart);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll('[hx-trigger*="every"]')) element.dispatchEvent(new Event("refresh"));
});

document.addEventListener("htmx:responseError", (event) => {
  // A page that polls tells the same only once: the toast stays until it is closed.
  toast(event.detail.xhr.responseText.trim() || "The platform could not do that. Try again.", "bad", "response-error");
});
document.addEventListener("htmx:sendError", () => {
  toast("The platform does not respond. Is it running, and are you online?", "bad", "send-error");
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-open], [data-close]");
  if (!button) {
    closeMenus(event.target);
    return;
  }
  if (button.dataset.open) document.getElementById(button.dataset.open)?.showModal();
  else if ("close" in button.dataset) button.closest("dialog")?.close();
  else await copyBeside(button);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus(null);
});

// Checking a password takes a moment: nobody should press twice.
document.addEventListener("submit", (event) => {
  if (!("busy" in event.target.dataset)) return;
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll('button[aria-busy="true"]')) button.removeAttribute("aria-busy");
});

// A refused form: to the first field that is wrong, whose error a screen reader then reads.
// Of what is new alone: a poll elsewhere on the page takes nobody's focus away.
function focusFirstFault(part = document) {
  part.querySelector('[aria-invalid="true"]')?.focus();
}

function closeMenus(target) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
}

async function copyBeside(button) {
  const source = button.dataset.copy ? document.getElementById(button.dataset.copy) : button.previousElementSibling;
  const text = "value" in source ? source.value : source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.", "good", "copied");
  } catch {
    // Without https browsers give no clipboard: mark it, so that one key copies it.
    getSelection().selectAllChildren(source);
    toast("Press Ctrl+C to copy what is marked.", "info", "copied");
  }
}

// What matters in a log is its end.
function showEndsOfLogs() {
  for (const log of document.querySelectorAll(".code-block.log pre")) log.scrollTop = log.scrollHeight;
}

document.addEventListener("htmx:afterSettle", (event) => focusFirstFault(event.target));
document.addEventListener("htmx:load", showEndsOfLogs);
focusFirstFault();
showEndsOfLogs();
rememberTimeZone();
startToasts();
startThemes();
startCharts();
