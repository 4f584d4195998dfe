"""What the platform offers is named in a page: each call, command, metric, class and method."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import modelport
import pytest
import typer
from modelport.cli.command import build_app
from modelport_control_api.process.app import ControlPlane

ROOT = Path(__file__).parents[3]
TEXT = "\n".join(page.read_text() for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
SOURCES = [
    ROOT / part for part in ("libs", "control-api", "gateway", "operator", "model-runtime", "standalone")
]
PARAMETER = re.compile(r"{\w+}|<\w+>")
METRIC = re.compile(r'(?:Counter|Gauge|Histogram|Summary)(?:MetricFamily)?\(\s*"(\w+)"')


def shapes(text: str) -> set[str]:
    """`GET /api/v1/models/{}` for each call in `text`, whatever its parameters are named."""
    called = re.findall(r"\b(GET|POST|PUT|PATCH|DELETE|HEAD) (/[\w/.{}-]*)", text)
    return {f"{method} {PARAMETER.sub('{}', path)}" for method, path in called}


def test_every_call_of_the_api_is_named(control_plane: ControlPlane) -> None:
    document = control_plane.public.openapi()
    calls = "\n".join(
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    )
    assert calls
    unnamed = sorted(shapes(calls) - shapes(TEXT))
    assert not unnamed, "; ".join(unnamed)


def commands(path: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield path
    for name, each in inner.items():
        yield from commands(f"{path} {name}", each)


@pytest.mark.parametrize("command", [*commands("modelport", typer.main.get_command(build_app()))])
def test_every_command_is_named(command: str) -> None:
    assert f"`{command}`" in TEXT


def test_every_metric_is_named() -> None:
    named = {
        name for part in SOURCES for file in part.rglob("*.py") for name in METRIC.findall(file.read_text())
    }
    assert len(named) > 50
    assert sorted(name for name in named if f"`{name}`" not in TEXT) == []


def test_every_public_name_of_the_sdk_is_in_its_page_once() -> None:
    """With its methods: mkdocstrings writes them (test_site.py)."""
    page = (ROOT / "docs" / "python.md").read_text()
    assert sorted(re.findall(r"^::: modelport\.(\w+)$", page, re.MULTILINE)) == sorted(modelport.__all__)
