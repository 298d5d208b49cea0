/* What every page has: theme switch, copy buttons, dialogs, htmx set-up, times that stay true. */

const root = document.documentElement;

function setTheme(theme) {
  root.setAttribute("data-bs-theme", theme);
  try {
    localStorage.setItem("leocdp-theme", theme);
  } catch {
    return; // storage is off: the choice holds for this page
  }
}

async function copyText(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

async function onCopy(button) {
  const source = document.getElementById(button.dataset.copy);
  const said = button.querySelector("[data-copy-label]") ?? button;
  const before = said.textContent;
  try {
    await copyText("value" in source ? source.value : source.textContent.trim());
    said.textContent = button.dataset.copied;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    said.textContent = button.dataset.copyFailed;
  }
  setTimeout(() => { said.textContent = before; }, 2500);
}

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog) dialog.showModal();
}

const actions = {
  theme: () => setTheme(root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark"),
  dialog: (element) => openDialog(element.dataset.dialog),
  close: (element) => element.closest("dialog")?.close(),
  copy: onCopy,
  dismiss: (element) => element.closest(".alert, .toast")?.remove(),
};

document.addEventListener("click", (event) => {
  const element = event.target.closest("[data-action]");
  if (element) {
    actions[element.dataset.action]?.(element);
    return;
  }
  if (event.target instanceof HTMLDialogElement) event.target.close(); // a click beside the dialog
});

// A form that was sent once is not sent twice; the button says that something happens.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  event.submitter?.classList.add("btn-loading");
});

// Coming back with the browser's history must not leave a form locked.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  document.querySelectorAll(".btn-loading").forEach((button) => button.classList.remove("btn-loading"));
});

// Selects and boxes marked so send their form by themselves.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  const shown = event.target.closest("[data-shows]");
  if (shown) showChoice(shown);
});

/* A group of radio buttons that shows one part of a form per choice: data-shows on the group, data-choice on the parts. */
function showChoice(group) {
  const chosen = group.querySelector("input:checked")?.value;
  document.querySelectorAll(`[data-choice-of="${group.dataset.shows}"]`).forEach((part) => {
    part.hidden = part.dataset.choice !== chosen;
  });
}
document.querySelectorAll("[data-shows]").forEach(showChoice);

// htmx: our token on every change, and a sentence instead of silence when a request fails.
document.body.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRF-Token"] = token;
});

function tell(sentence) {
  const box = document.getElementById("messages");
  const message = document.getElementById("message-template").content.cloneNode(true);
  message.querySelector("[data-text]").textContent = sentence;
  box.replaceChildren(message);
}

document.body.addEventListener("htmx:sendError", () => tell(document.body.dataset.offline));
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return;
  }
  tell(document.body.dataset.failed);
});
document.body.addEventListener("htmx:beforeSwap", () => document.getElementById("messages")?.replaceChildren());

// A form in a dialog that came back with problems is shown again.
document.querySelectorAll("[data-open-dialog]").forEach((mark) => openDialog(mark.dataset.openDialog));
