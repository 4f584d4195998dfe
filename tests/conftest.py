"""Fixtures are in `tests/support/*_fixtures.py`, one file a kind of server or object."""

from pathlib import Path

pytest_plugins = [
    f"tests.support.{file.stem}" for file in sorted((Path(__file__).parent / "support").glob("*_fixtures.py"))
]
