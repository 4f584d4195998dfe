// The upload page: a file by dropping or choosing, its progress as it is sent, and what the platform said.

import { accessToken } from "../access.js";
import { counted, describeProblem, element, enableSending, reasonLink, showError } from "./dom.js";

const root = document.querySelector("[data-upload]");
if (root) start(root);

function start(root) {
  const form = root.querySelector("form");
  const file = form.elements.file;
  watchDropping(root.querySelector("[data-drop]"), file);
  file.addEventListener("change", () => showChoice(root, form));
  form.elements.name?.addEventListener("input", (event) => {
    event.target.dataset.typed = "yes";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(root, form);
  });
  watchShare(form);
  enableSending(form);
  showChoice(root, form);
}

/** The number beside "a share" is that choice's value, and filling it in makes the choice. */
function watchShare(form) {
  const share = form.querySelector("[data-share]");
  const choice = form.querySelector("[data-share-choice]");
  share?.addEventListener("input", () => {
    // What is empty would not be sent, which stands for all: the platform shall refuse it.
    choice.value = share.value || "?";
    choice.checked = true;
  });
}

/** A file let fall anywhere on the page is one for the form, never one that the browser opens instead. */
function watchDropping(zone, file) {
  let depth = 0;
  const over = (on) => zone.toggleAttribute("data-over", on);
  document.addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    over(true);
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    over(depth > 0);
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    if (!event.dataTransfer?.files.length) return;
    file.files = event.dataTransfer.files;
    file.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function showChoice(root, form) {
  const chosen = form.elements.file.files[0];
  const place = root.querySelector("[data-chosen]");
  root.querySelector("[data-drop]").toggleAttribute("data-has-file", Boolean(chosen));
  place.textContent = chosen ? `${chosen.name} · ${inWords(chosen.size)}` : "";
  say(form, "file", "");
  const name = form.elements.name;
  if (!chosen || !name || name.dataset.typed) return;
  name.value = nameOf(chosen.name);
  // Whether another model is called so is looked up, as when it is typed.
  name.dispatchEvent(new Event("named", { bubbles: true }));
}

/** `churn_model-v3.joblib` → `Churn model v3`. */
function nameOf(fileName) {
  const words = fileName.replace(/(\.(joblib|pkl|pickle|skops|onnx|json|ubj|txt|cbm|keras|h5|pt2|pt|pth|jaxexport|py|zip|tar|tgz|gz|bz2|xz))+$/i, "").replace(/[_\-.\s]+/g, " ").trim();
  return (words.charAt(0).toUpperCase() + words.slice(1)).slice(0, 100);
}

async function send(root, form) {
  clear(root, form);
  const chosen = form.elements.file.files[0];
  const limit = Number(form.dataset.maxBytes);
  if (!chosen) return refuse(root, form, "Choose a file first, or drop one here.");
  if (chosen.size > limit) {
    return refuse(root, form, `The file has ${inWords(chosen.size)}; the platform accepts ${inWords(limit)}.`);
  }
  const progress = showProgress(root, chosen);
  try {
    const response = await post(form, progress);
    if (response.ok) return arrive(form, JSON.parse(response.text));
    showProblem(root, form, describeProblem(response.status, response.text));
  } catch (error) {
    if (error.name !== "AbortError") {
      showProblem(root, form, { title: "The upload broke off", detail: error.message, errors: [] });
    }
  }
  progress.end();
}

function refuse(root, form, message) {
  say(form, "file", message);
  form.elements.file.focus();
}

/** Only XMLHttpRequest tells how much has been sent. */
async function post(form, progress) {
  const token = await accessToken();
  const body = bodyOf(form);
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    progress.onCancel(() => call.abort());
    call.upload.addEventListener("progress", (event) => progress.sent(event.loaded, event.total));
    call.upload.addEventListener("load", () => progress.stored());
    call.addEventListener("load", () =>
      resolve({ ok: call.status >= 200 && call.status < 300, status: call.status, text: call.responseText }),
    );
    call.addEventListener("error", () => reject(new Error("The connection to the platform was lost.")));
    call.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    call.open("POST", addressOf(form));
    call.setRequestHeader("Authorization", `Bearer ${token}`);
    call.send(body);
  });
}

function addressOf(form) {
  if (form.dataset.kind === "batch") return `/api/v1/predict/${encodeURIComponent(form.elements.model.value)}/batch`;
  const target = targetOf(form);
  return target ? `/api/v1/models/${encodeURIComponent(target.value)}/versions` : form.dataset.action;
}

/** The model of the same name whose next version the file was chosen to be, if any. */
function targetOf(form) {
  const chosen = form.querySelector("input[name=target]:checked");
  return chosen?.value ? chosen : null;
}

/** Fields before files, so that a wrong one is reported before 100 MB are sent; what is empty is left out. */
function bodyOf(form) {
  const target = targetOf(form);
  const leftOut = new Set(["model", "target", ...(target ? ["name", "description"] : [])]);
  const given = [...new FormData(form).entries()].filter(([name, value]) =>
    value instanceof File ? value.size > 0 : value !== "" && !leftOut.has(name),
  );
  const body = new FormData();
  if (target?.dataset.replaces) body.append("replaces", target.dataset.replaces);
  for (const [name, value] of given) if (!(value instanceof File)) appendText(body, name, value);
  for (const [name, value] of given) if (value instanceof File && name !== "file") body.append(name, value);
  body.append("file", form.elements.file.files[0]);
  return body;
}

/** A rollout is one of the choices of traffic, and a field of its own. */
function appendText(body, name, value) {
  if (name === "traffic" && value === "guarded") body.append("rollout", value);
  else body.append(name, value);
}

function arrive(form, made) {
  if (form.dataset.kind === "batch") {
    const job = `/ui/batch/${encodeURIComponent(made.id)}`;
    if (made.webhook_secret) showSecret(form, made.webhook_secret, job);
    else location.assign(job);
    return;
  }
  const model = form.dataset.model || targetOf(form)?.value;
  const version = model ? made.name : made.versions.at(-1).name;
  location.assign(`/ui/models/${encodeURIComponent(model || made.id)}/versions/${encodeURIComponent(version)}/arrival`);
}

/** In place of the form: no page can show it again. */
function showSecret(form, secret, job) {
  const text = element("pre", { tabindex: "0", role: "region", "aria-label": "webhook secret" }, secret);
  const copy = element("button", { type: "button", class: "button small", "data-copy": "" }, "Copy");
  const note = element(
    "div",
    { class: "note good", role: "status" },
    element(
      "div",
      {},
      element("p", {}, "The job is submitted. Keep this secret: it signs the message to your webhook, and is shown only here."),
      element("div", { class: "row" }, text, copy),
      element("div", { class: "row" }, element("a", { class: "button primary", href: job }, "To the job")),
    ),
  );
  form.replaceChildren(element("div", { class: "body form" }, note));
}

// Progress

function showProgress(root, file) {
  const panel = root.querySelector("[data-progress]");
  const bar = panel.querySelector("progress");
  const words = panel.querySelector("[data-words]");
  const cancel = panel.querySelector("[data-cancel]");
  const button = root.querySelector("[type=submit]");
  const began = performance.now();
  panel.hidden = false;
  button.setAttribute("aria-busy", "true");
  cancel.disabled = false;
  bar.value = 0;
  words.textContent = "Connecting…";
  return {
    sent(loaded, total) {
      const rate = (loaded / (performance.now() - began)) * 1000;
      bar.value = loaded / total;
      words.textContent = `${inWords(loaded)} of ${inWords(total)} sent, ${inWords(rate)}/s`;
    },
    stored() {
      bar.removeAttribute("value");
      words.textContent = `${file.name} is sent; the platform looks at what it is.`;
    },
    onCancel(act) {
      cancel.addEventListener("click", act, { once: true });
    },
    end() {
      panel.hidden = true;
      button.removeAttribute("aria-busy");
    },
  };
}

// What went wrong

function showProblem(root, form, problem) {
  const place = root.querySelector("[data-problem]");
  const cure = root.querySelector(`template[data-cure="${CSS.escape(problem.reason ?? "")}"]`);
  const title = problem.reason ? reasonLink(problem.reason) : problem.title;
  const text = element("div", {}, element("strong", {}, title));
  text.append(element("p", {}, problem.detail));
  if (cure) text.append(element("p", { class: "cure" }, cure.dataset.text));
  place.replaceChildren(element("div", { class: "note bad", role: "alert" }, text));
  for (const { field, message } of problem.errors) say(form, field, message);
  form.querySelector("[aria-invalid=true]")?.focus();
}

function say(form, field, message) {
  const place = form.querySelector(`[data-error="${CSS.escape(field)}"]`);
  if (!place) return;
  const input = form.elements[field];
  // Of radio buttons it is a list.
  showError(place, message, input instanceof Element ? input : null);
  // What is wrong must be seen.
  if (message) place.closest("details")?.setAttribute("open", "");
}

function clear(root, form) {
  root.querySelector("[data-problem]").replaceChildren();
  for (const place of form.querySelectorAll("[data-error]")) say(form, place.dataset.error, "");
}

function inWords(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let step = 0;
  let value = bytes;
  while (value >= 1000 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return step === 0 ? counted(Math.round(value), "byte") : `${value.toFixed(1)} ${units[step]}`;
}
