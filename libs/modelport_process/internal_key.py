"""The key that gateways and batch workers show on the control API's internal port: MODELPORT_INTERNAL_KEY."""

from collections.abc import Mapping
from secrets import compare_digest

from pydantic import SecretStr

EXAMPLE_KEY = "$(openssl rand -hex 32)"


def show(key: SecretStr | None) -> dict[str, str]:
    """Headers of a request."""
    return {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}


def is_shown(key: SecretStr | None, headers: Mapping[str, str]) -> bool:
    """Never where there is no key. `headers`: whose names have no case, as Starlette's."""
    given = headers.get("authorization", "").encode()
    return key is not None and compare_digest(given, show(key)["Authorization"].encode())
