// Days begin where the person is: the server counts them by this cookie.
export function rememberTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `modelport_timezone=${zone}; path=/ui; max-age=31536000; samesite=lax`;
}
