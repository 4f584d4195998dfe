"""Fixtures are in `tests/support/*_fixtures.py`, one file a kind of server or object."""

import os
from pathlib import Path

# Before anything imports onnxruntime, as in a runtime: it would send telemetry, and leave files in /tmp.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

pytest_plugins = [
    f"tests.support.{file.stem}" for file in sorted((Path(__file__).parent / "support").glob("*_fixtures.py"))
]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes never name a test: gzip writes the time into them, so two workers would collect other names."""
    return argname if isinstance(val, bytes) else None
