"""Log events are identifiers, never sentences: alerts match them whole, so their words may not change."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import ROOT

PACKAGES = ("client", "control-api", "crds", "gateway", "libs", "model-runtime", "operator", "standalone")
IDENTIFIER = re.compile(r"[a-z0-9_.]+")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# `self.logger` is uvicorn's own, and what goes there is written as uvicorn writes it.
LOGGERS = re.compile(r"(access_|_)?log|structlog\.get_logger\(.*\)")


def events(source: str) -> Iterator[ast.expr]:
    """What each call to a logger gives as its event, and each periodic loop as the event of its failure."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call):
            if _is_to_a_logger(call.func):
                yield from call.args[:1]
            elif isinstance(call.func, ast.Name) and call.func.id == "every":
                yield from (word.value for word in call.keywords if word.arg == "failed")


def _is_to_a_logger(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and LOGGERS.fullmatch(ast.unparse(function.value)) is not None
    )


def is_identifier(event: ast.expr) -> bool:
    return (
        isinstance(event, ast.Constant)
        and isinstance(event.value, str)
        and IDENTIFIER.fullmatch(event.value) is not None
    )


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_log_events_are_identifiers(package: str) -> None:
    sentences = [
        f"{file.relative_to(ROOT)}:{event.lineno} {ast.unparse(event)}"
        for file in sources(package)
        for event in events(file.read_text())
        if not is_identifier(event)
    ]
    assert not sentences


def test_the_scan_finds_events() -> None:
    found = sum(1 for package in PACKAGES for file in sources(package) for _ in events(file.read_text()))
    assert found > 80


@pytest.mark.parametrize(
    "source",
    [
        'log.info("a model was put away")',
        "_log.error(f'lost {name}')",
        "structlog.get_logger(__name__).warning('It broke')",
        "async def f():\n    await every(1, step, failed='no luck')",
    ],
)
def test_a_sentence_is_found(source: str) -> None:
    [event] = events(source)
    assert not is_identifier(event)
