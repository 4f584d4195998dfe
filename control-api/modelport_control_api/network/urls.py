"""Addresses that users give: what they may look like, before any name of them is resolved."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from modelport_control_api.network.addresses import Forbidden, check_port

_MAX_CHARACTERS = 2000


def url_problem(url: str | None, schemes: Sequence[str] = ("http", "https")) -> str | None:
    """What is wrong with it, to be read after its name; None: nothing."""
    if url is None:
        return None
    if len(url) > _MAX_CHARACTERS or not url.isascii() or not url.isprintable():
        return f"must be a URL of at most {_MAX_CHARACTERS} ASCII characters"
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or "@" in parts.netloc:
        kinds = " or ".join(f"{scheme}://" for scheme in schemes)
        return f"must be a {kinds} URL with a host, and without a password"
    try:
        check_port(parts.port or 443)
    except Forbidden as error:
        return f"cannot be used: {error}"
    return None
