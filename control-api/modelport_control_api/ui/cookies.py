"""The UI's cookies: the session's, the theme's, and one line to show on the next page."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import Response

from modelport_control_api.accounts.sessions import web_sessions
from modelport_control_api.ui.browser import is_loopback

Tone = Literal["good", "bad", "neutral"]

SESSION = "__Host-modelport"
"""The prefix makes browsers refuse one that is not Secure or that another subdomain has set."""
LOOPBACK_SESSION = "modelport"
_THEME = "modelport_theme"
_FLASH = "modelport_flash"
_TIME_ZONE = "modelport_timezone"
_UTC = "UTC"


@dataclass(frozen=True)
class Flash:
    text: str
    tone: Tone = "good"


def read_session(request: Request) -> str | None:
    """The session's token. What was set without Secure counts on this machine only."""
    if token := request.cookies.get(SESSION):
        return token
    return request.cookies.get(LOOPBACK_SESSION) if is_loopback(request) else None


def set_session(response: Response, token: str, *, secure: bool) -> None:
    """`secure`: the browser came over https. Otherwise it is on this machine."""
    response.set_cookie(
        SESSION if secure else LOOPBACK_SESSION,
        token,
        max_age=int(web_sessions.WHOLE_LIFE.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def clear_session(response: Response) -> None:
    """Have the browser drop the session's cookie under both names. The session itself does not end."""
    response.delete_cookie(SESSION, path="/", secure=True, httponly=True, samesite="lax")
    response.delete_cookie(LOOPBACK_SESSION, path="/", httponly=True, samesite="lax")


def read_theme(request: Request) -> str | None:
    """`light` or `dark` if the person chose; None: as the system has it. Pages set it (static/theme.js)."""
    theme = request.cookies.get(_THEME)
    return theme if theme in {"light", "dark"} else None


def read_time_zone(request: Request) -> str:
    """The browser's, as an IANA name that is known here. Pages set it (static/time-zone.js)."""
    name = request.cookies.get(_TIME_ZONE, _UTC)
    try:
        return ZoneInfo(name).key
    # ValueError: what cannot be a name (a path, a NUL); OSError: a folder of zones.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _UTC


def read_flash(request: Request) -> Flash | None:
    """Return what `set_flash` left; None: nothing. It stays until `clear_flash`, at most a minute."""
    try:
        kept = json.loads(urlsafe_b64decode(request.cookies.get(_FLASH, "")))
    except ValueError:
        return None
    match kept:
        case [str(text), "good" | "bad" as tone]:
            return Flash(text, tone)
        case [str(text), _]:
            return Flash(text, "neutral")
    return None


def set_flash(response: Response, flash: Flash) -> None:
    """Show it on the next page that is rendered."""
    value = urlsafe_b64encode(json.dumps([flash.text, flash.tone]).encode()).decode()
    response.set_cookie(_FLASH, value, max_age=60, path="/ui", httponly=True, samesite="lax")


def clear_flash(response: Response) -> None:
    """Have the browser drop it, so that no later page shows it."""
    response.delete_cookie(_FLASH, path="/ui", httponly=True, samesite="lax")
