"""By which names a server lets itself be called.

A page whose name an attacker points at this machine (DNS rebinding) is no page of another site to the
browser: only the name in `Host` gives it away.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from modelport_http.middleware import RequestIdMiddleware, SecurityHeadersMiddleware
from modelport_http.problem import Problem, ProblemMiddleware

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(:[0-9]{1,5})?", re.IGNORECASE)
_KEPT = 1000

Headers = Sequence[tuple[bytes, bytes]]


class Hosts:
    """Names of this machine's loopback, those in `names` and that of `public_url`, with any port."""

    def __init__(self, names: Iterable[str], public_url: str | None = None) -> None:
        public = urlsplit(public_url or "").hostname
        self._names = {name.lower().strip("[]") for name in (*names, public) if name}
        self._allowed: set[bytes] = set()

    def allow(self, headers: Headers) -> bool:
        """Return whether each `Host` is one of them. None at all is no browser's request."""
        for name, value in headers:
            if name == b"host" and value not in self._allowed and not self._find_out(value):
                return False
        return True

    def _find_out(self, host: bytes) -> bool:
        match = _HOST.fullmatch(host.decode("latin-1"))
        name = match["name"].lower().strip("[]") if match else ""
        if name not in self._names and not is_loopback(name):
            return False
        if len(self._allowed) >= _KEPT:
            self._allowed.clear()
        self._allowed.add(host)
        return True


def is_loopback(name: str) -> bool:
    """Return whether a lower-case name, IPv6 without brackets, is `localhost` or a loopback address."""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class HostsMiddleware:
    """Outermost: a request by another name reaches nothing."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts
        self._refusal = RequestIdMiddleware(SecurityHeadersMiddleware(ProblemMiddleware(_refuse)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        called_well = scope["type"] != "http" or self._hosts.allow(scope["headers"])
        await (self._app if called_well else self._refusal)(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    # The name itself is untrusted, and is not repeated.
    raise Problem(
        status=421,
        detail="The platform does not answer to the host name of this request. Call it by the name it was "
        "started with or by localhost, or have its operator add the name to MODELPORT_ALLOWED_HOSTS "
        "(or set MODELPORT_CONTROL_API_PUBLIC_URL).",
    )
