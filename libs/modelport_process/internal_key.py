"""The key that gateways and batch workers show on the control API's internal port: MODELPORT_INTERNAL_KEY."""

import hmac
from collections.abc import Mapping
from secrets import compare_digest

from pydantic import SecretStr

EXAMPLE_KEY = "$(openssl rand -hex 32)"


def show(key: SecretStr | None) -> dict[str, str]:
    """Headers of a request."""
    return {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}


def of_bundle(key: SecretStr, lock_sha256: str) -> SecretStr:
    """Return what opens the bundle of one lock and nothing else, for those who are not to have the key."""
    subject = f"bundle:{lock_sha256}".encode()
    return SecretStr(hmac.digest(key.get_secret_value().encode(), subject, "sha256").hex())


def is_shown(key: SecretStr | None, headers: Mapping[str, str]) -> bool:
    """Never where there is no key. `headers`: whose names have no case, as Starlette's."""
    given = headers.get("authorization", "").encode()
    return key is not None and compare_digest(given, show(key)["Authorization"].encode())
