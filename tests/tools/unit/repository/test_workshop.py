"""What workflows run and pages name exists: make targets, and the places in docs/development.md."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from modelport_environments.catalogue import ENVIRONMENTS

from tests.parts import KINDS, PARTS, ROOT

WORKFLOWS = sorted((ROOT / ".github").glob("workflows/*.yml"))
ACTIONS = sorted((ROOT / ".github").glob("actions/*/action.yml"))
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob(".github/*.md")]
)
CODE = re.compile(r"^```.*?^```$|(?<!`)`[^`\n]+`(?!`)", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"\bmake ((?:[a-z][a-z0-9-]*(?:<part>)?\s*)+)")
FORMS = sorted((ROOT / ".github").glob("ISSUE_TEMPLATE/*.yml"))


def targets() -> set[str]:
    plain = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    return plain | {f"test-{name}" for name in (*PARTS, *KINDS, "<part>")}


def wanted(text: str) -> set[str]:
    """The targets of each `make` in commands; what follows a comment sign is no command."""
    lines = [line.split("#", maxsplit=1)[0] for line in text.splitlines()]
    return {target for line in lines for named in MAKE.findall(line) for target in named.split()}


def steps(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in document.get("jobs", {"": document.get("runs", {})}).values():
        yield from job.get("steps", [])


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_targets_that_exist(path: Path) -> None:
    run = "\n".join(step.get("run", "") for step in steps(read(path)))
    assert wanted(run) <= targets()


def test_workflows_run_the_targets_that_contributors_run() -> None:
    runs = "\n".join(step.get("run", "") for path in WORKFLOWS for step in steps(read(path)))
    expected = {"check", "test-unit", "test-contract", "nightly", "bench", "disturbances", "images"}
    assert expected <= wanted(runs)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_name_targets_that_exist(path: Path) -> None:
    assert wanted("\n".join(CODE.findall(path.read_text()))) <= targets()


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_actions_of_others_are_pinned_by_commit(path: Path) -> None:
    used = [step["uses"] for step in steps(read(path)) if "uses" in step]
    assert used
    assert [name for name in used if not re.fullmatch(r"\./.*|[\w./-]+@[0-9a-f]{40}", name)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_few_rights_and_an_end(path: Path) -> None:
    document = read(path)
    assert document["permissions"] == {"contents": "read"}
    assert document["concurrency"]["group"]
    endless = [
        name for name, job in document["jobs"].items() if "uses" not in job and "timeout-minutes" not in job
    ]
    assert not endless


def test_a_release_publishes_the_image_of_each_environment() -> None:
    parts = read(ROOT / ".github/workflows/release.yml")["jobs"]["images"]["strategy"]["matrix"]["part"]
    assert {f"runtime-{name}" for name in ENVIRONMENTS} <= set(parts)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_can_be_read(path: Path) -> None:
    assert read(path)


def places() -> list[str]:
    page = (ROOT / "docs" / "development.md").read_text()
    table = page.split("<!-- places -->")[1].split("<!-- end -->")[0]
    return [name for row in table.splitlines() for name in re.findall(r"`([\w./-]+)`", row) if "/" in name]


def test_the_places_of_the_development_page_exist() -> None:
    assert len(places()) >= 20
    assert [place for place in places() if not (ROOT / place).exists()] == []


def test_the_names_beside_the_places_are_in_them() -> None:
    page = (ROOT / "docs" / "development.md").read_text()
    named = re.findall(r"`([\w./-]+\.py)` \(`(\w+)`\)", page)
    assert named
    assert [pair for pair in named if f"def {pair[1]}(" not in (ROOT / pair[0]).read_text()] == []
