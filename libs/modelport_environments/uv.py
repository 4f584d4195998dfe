"""How uv is called, which resolves and installs: with the user's settings and none of the platform's."""

import os

from modelport_environments.errors import EnvironmentUnavailable


def find_uv() -> str:
    """Return the path of the package's own, before any other: its options are those that we know.

    Raises EnvironmentUnavailable.
    """
    from uv import find_uv_bin

    try:
        return str(find_uv_bin())
    except FileNotFoundError as error:
        raise EnvironmentUnavailable(f"uv, which makes environments, is not there: {error}") from error


def without_ours() -> dict[str, str]:
    """Return the user's variables, who may have set an index or a proxy; none of ours: some are secret."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODELPORT_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def last_words(said: str, lines: int) -> str:
    """Return the end of what uv wrote to stderr, in one line."""
    written = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(written[-lines:])
