// Light, dark or as the system has it: in a cookie, so that the server's page has the right colors at once.
export function startThemes() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (button) setTheme(button.dataset.setTheme);
  });
}

function setTheme(theme) {
  const life = theme ? 31536000 : 0;
  document.cookie = `modelport_theme=${theme}; path=/ui; max-age=${life}; samesite=lax`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
  }
  document.dispatchEvent(new CustomEvent("theme"));
}
