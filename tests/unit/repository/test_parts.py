"""`make test-<part>` and `make watch` miss no test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import KINDS, PARTS, ROOT, TESTS
from tests.watch import concerned


def folders_of_tests() -> Iterator[Path]:
    for kind in KINDS:
        yield from (path for path in (TESTS / kind).iterdir() if (path / "__init__.py").exists())


def test_every_folder_of_tests_belongs_to_a_part() -> None:
    assigned = {folder for part in PARTS.values() for folder in part.folders()}
    lost = {str(path.relative_to(ROOT)) for path in set(folders_of_tests()) - assigned}
    assert not lost, "add them to PARTS in tests/parts.py"


@pytest.mark.parametrize("part", PARTS)
def test_what_a_part_names_exists(part: str) -> None:
    missing = [source for source in PARTS[part].sources if not (ROOT / source).exists()]
    missing += [pattern for pattern in PARTS[part].tests if not any(TESTS.glob(pattern))]
    assert not missing


@pytest.mark.parametrize(
    ("changed", "test"),
    [
        ("gateway/modelport_gateway/routing/traffic_split.py", "unit/gateway/test_parts.py"),
        ("gateway/modelport_gateway/serve.py", "unit/gateway"),
        ("helm/modelport/values.yaml", "unit/chart"),
        ("tests/unit/operator/test_queue.py", "unit/operator/test_queue.py"),
        ("tests/unit/operator/harness.py", "unit/operator"),
    ],
)
def test_a_change_runs_the_tests_that_concern_it(changed: str, test: str) -> None:
    assert TESTS / test in concerned([ROOT / changed])
