// A log that is followed: it stays at its end, unless somebody reads further up or says so.

const place = document.querySelector("[data-log]");
const follow = document.querySelector("[data-follow]");

function toTheEnd() {
  const text = place.querySelector("pre");
  if (text) text.scrollTop = text.scrollHeight;
}

if (place) {
  place.addEventListener("htmx:beforeRequest", (event) => {
    if (!follow.checked) event.preventDefault();
  });
  place.addEventListener("htmx:afterSwap", toTheEnd);
  follow.addEventListener("change", () => follow.checked && place.dispatchEvent(new Event("refresh")));
  toTheEnd();
}
