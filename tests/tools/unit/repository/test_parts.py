"""`make test-<part>` and `make watch` miss no test."""

import pytest

from tests.parts import KINDS, PARTS, ROOT, TESTS, folders
from tests.watch import concerned

OF_THE_WHOLE = ("ui", "e2e")


def test_every_test_is_in_the_folder_of_its_part_and_kind() -> None:
    homes = [folder / kind for part in PARTS for folder in folders(part) for kind in KINDS]
    homes += [TESTS / name for name in OF_THE_WHOLE]
    files = {*TESTS.rglob("test_*.py")}
    assert {
        str(path.relative_to(ROOT)) for path in files if not any(map(path.is_relative_to, homes))
    } == set()


def test_a_kind_runs_the_tests_of_all_parts() -> None:
    assert {path.parent for path in folders("unit")} == {folder for part in PARTS for folder in folders(part)}


@pytest.mark.parametrize("part", PARTS)
def test_what_a_part_names_exists(part: str) -> None:
    assert [source for source in PARTS[part] if not (ROOT / source).exists()] == []
    assert [folder for folder in folders(part) if not any(folder.rglob("test_*.py"))] == []


@pytest.mark.parametrize(
    ("changed", "test"),
    [
        ("gateway/modelport_gateway/routing/traffic_split.py", "gateway/unit/test_parts.py"),
        ("gateway/modelport_gateway/serve.py", "gateway/unit"),
        ("helm/modelport/values.yaml", "chart/unit"),
        ("tests/operator/unit/test_queue.py", "operator/unit/test_queue.py"),
        ("tests/operator/unit/harness.py", "operator/unit"),
    ],
)
def test_a_change_runs_the_tests_that_concern_it(changed: str, test: str) -> None:
    assert TESTS / test in concerned([ROOT / changed])
