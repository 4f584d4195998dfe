// Calls of the REST API from a page: with a short-lived token, kept in this module only.
let token = null;
let goodUntil = 0;

/** A token that is good for the next minute at least. Throws an Error with a sentence for users. */
export async function accessToken() {
  if (token && Date.now() < goodUntil) return token;
  const csrfToken = document.querySelector('meta[name="csrf-token"]').content;
  const response = await fetch("/ui/access-token", {
    method: "POST",
    headers: { "X-CSRF-Token": csrfToken, Accept: "application/json", "HX-Current-URL": location.href },
  });
  const signIn = response.headers.get("HX-Redirect");
  if (signIn) location.assign(signIn);
  if (!response.ok) throw new Error("You are signed out: sign in again.");
  const body = await response.json();
  token = body.access_token;
  goodUntil = Date.now() + (body.expires_in - 60) * 1000;
  return token;
}

/** `fetch` of /api/v1/… or /predict/…, as the person who is signed in. */
export async function fetchSignedIn(path, options = {}) {
  const headers = new Headers(options.headers);
  headers.set("Authorization", `Bearer ${await accessToken()}`);
  return fetch(path, { ...options, headers });
}
