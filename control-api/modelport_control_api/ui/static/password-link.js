// The link's secret stands behind "#": browsers send that to no server. Here it goes into the form, and out of
// the address, which a history would keep.
const field = document.getElementById("token");
const secret = location.hash.slice(1);

if (secret) {
  field.value = secret;
  history.replaceState(null, "", location.pathname);
}
if (field.value && field.getAttribute("aria-invalid") !== "true") {
  document.querySelector("[data-link]").hidden = true;
}
document.getElementById("password").focus();
