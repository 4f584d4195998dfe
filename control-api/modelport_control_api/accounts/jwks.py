"""The public halves, for whoever checks access tokens. On the public and on the internal app."""

from typing import Any

from fastapi import APIRouter, Response

from modelport_control_api.accounts.wiring import Accounts

router = APIRouter()

# Well below the activation delay of a new key: a cache must have it before it signs.
CACHE_SECONDS = 60


@router.get("/.well-known/jwks.json", tags=["platform"])
def read_jwks(services: Accounts, response: Response) -> dict[str, list[dict[str, Any]]]:
    """The keys that access tokens are signed with (RFC 7517)."""
    response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    return services.signing_keys.jwks()
