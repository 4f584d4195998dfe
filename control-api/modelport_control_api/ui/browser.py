"""What a browser reports of itself: its name in words, where it is, and where a request comes from."""

import re
from urllib.parse import urlsplit

from modelport_http.connections.allowed_hosts import is_loopback as is_loopback_name
from modelport_http.problem import Problem
from starlette.requests import Request

from modelport_control_api.http.context import get_context

# In this order: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edge", r"\bEdgA?/"),
    ("Opera", r"\bOPR/"),
    ("Firefox", r"\bFirefox/"),
    ("Chrome", r"\b(?:Headless)?Chrom(?:e|ium)/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b"),
    ("Linux", r"\bLinux\b"),
)


def describe(user_agent: str | None) -> str:
    """`Firefox on Linux`; what is unknown is left out."""
    browser, system = (_first(user_agent or "", names) for names in (_BROWSERS, _SYSTEMS))
    return f"{browser or 'A browser'}{f' on {system}' if system else ''}"


def _first(text: str, names: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for name, pattern in names if re.search(pattern, text)), None)


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HOME = "/ui/"
_LOCAL_PATH = re.compile(r"/ui/[A-Za-z0-9/_.~?=&%:+,@-]*")


def is_loopback(request: Request) -> bool:
    """The browser and this server are on one machine, or a tunnel makes it so."""
    host = request.url.hostname or ""
    return host.endswith(".localhost") or is_loopback_name(host)


def is_htmx(request: Request) -> bool:
    """Whether htmx sent it: the response goes into the page that is shown, as a part of it."""
    return request.headers.get("hx-request") == "true"


def wants_json(request: Request) -> bool:
    """It is a script of ours that calls, by `fetch`."""
    return "application/json" in request.headers.get("accept", "")


def safe_next(path: str | None) -> str:
    """Where to go after signing in: a page of ours, never another site's address."""
    return path if path and _LOCAL_PATH.fullmatch(path) and "//" not in path else HOME


def address_of(request: Request) -> str:
    """The platform's address, for commands to copy: as this browser has it, unless the operator set it."""
    if public_url := get_context(request).settings.public_url:
        return public_url.rstrip("/")
    # With the GET of a page goes no origin. This header browsers send to https and loopback addresses alone.
    is_read_over_https = "sec-fetch-site" in request.headers and not is_loopback(request)
    scheme = "https" if came_over_https(request) or is_read_over_https else "http"
    return f"{scheme}://{request.headers.get('host', 'localhost')}"


def came_over_https(request: Request) -> bool:
    """As the browser sees it: a proxy in front of us may have taken the TLS off."""
    scheme = urlsplit(request.headers.get("origin", "")).scheme
    return (scheme or request.url.scheme) == "https"


def require_same_origin(request: Request) -> None:
    """Raises a 403 problem for a request that changes something and comes from another site's page."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    reported = site is not None or origin is not None
    same_site = site in {None, "same-origin"}
    same_host = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not (reported and same_site and same_host):
        raise Problem(
            status=403,
            detail="This request does not come from a page of this address, so nothing was done. "
            "Reload the page and try again; programs use the REST API.",
        )
