"""What the matrix of environments makes of a file: served as it was saved, refused, or a third thing."""

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from modelport_environments.catalogue import ENVIRONMENTS
from modelport_environments.choice import OF_SKLEARN, OF_XGBOOST
from sklearn.linear_model import LinearRegression

from bench.environments import answer, matrix, report, sources
from bench.environments.report import HERE, Served, row_of


def served(kind: str, *outcome: str, place: str = HERE, form: str = "joblib") -> Served:
    return Served(f"{kind}.{form}", "xgboost-2.0.3", kind, form, place, (outcome[0], outcome[1]))


LOST = "The categories of 'color' are not in the file, whichever version reads it."
GAMMA = "The binary format of reg:gamma is not read: save it as JSON with that version."


def test_what_is_neither_served_nor_refused_for_a_right_reason_is_a_third_outcome() -> None:
    files = [
        served("a", "same", ""),
        served("b", "same", "", place="xgboost-3.0"),
        served("categories", "LibraryMismatch", LOST),
        served("d", "other", "1 for 2"),
        served("e", answer.ENDED, "by -11"),
        served("f", "LoadFailed", "no such attribute"),
    ]

    row = row_of(files, {})

    assert report.line("x", row) == "| `x` | 6 | 2 | 1 | 1 | 3 |\n"
    assert row.refused == {"LibraryMismatch": {"categories": ["joblib"]}}
    assert [each.partition(" ")[0] for each in row.third] == ["d.joblib", "e.joblib", "f.joblib"]


@pytest.mark.parametrize(
    ("file", "is_right"),
    [
        (served("categories", "LibraryMismatch", LOST), True),
        (served("categories", "LibraryMismatch", "It does not work with it: AttributeError"), False),
        (served("categories", "CorruptArtifact", LOST), False),
        (served("numbers", "LibraryMismatch", LOST), False),
        (served("gamma", "LibraryMismatch", GAMMA, form="deprecated"), True),
        (served("gamma", "LibraryMismatch", GAMMA, form="json"), False),
    ],
)
def test_a_refusal_is_right_for_its_own_reason_alone(file: Served, is_right: bool) -> None:
    assert file.is_third != is_right


@pytest.mark.parametrize(("third", "code"), [([], 0), (["d.joblib in platform: other"], 1)])
def test_it_fails_on_a_third_outcome(monkeypatch: pytest.MonkeyPatch, third: list[str], code: int) -> None:
    row = report.Row(1, 1 - len(third), 0, {}, third, {})
    monkeypatch.setattr(sources, "rows", lambda: {"some": lambda _folder: None})
    monkeypatch.setattr(matrix, "_measure", lambda _row, _folder: row)
    monkeypatch.setattr(report, "keep", lambda *_: None)

    assert matrix.main([]) == code
    assert matrix.main(["none"]) == 2


def test_its_rows_are_of_environments_and_of_every_release_that_was_compared() -> None:
    names = set(sources.rows())
    assert set(OF_SKLEARN) <= names
    for release in (each for releases in OF_XGBOOST.values() for each in releases):
        assert any(name.startswith(f"xgboost-{release}.") for name in names), release
    assert {name for name in names if name.startswith("statsmodels")} <= set(ENVIRONMENTS)


@pytest.mark.parametrize(("predictions", "outcome"), [([2.0, 4.0], "same"), ([2.0, 4.1], "other")])
def test_a_file_is_compared_with_what_its_library_answered(
    tmp_path: Path, predictions: list[float], outcome: str
) -> None:
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps(LinearRegression().fit([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])))
    facts: dict[str, Any] = {"framework": "sklearn", "rows": [[1.0], [2.0]], "predictions": predictions}

    assert answer.in_a_process(path, facts)[0] == outcome


def test_a_file_that_ends_its_process_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts: dict[str, Any] = {"framework": "sklearn", "rows": [[1.0]]}
    for ends, code in ((os._exit, 3), (sys.exit, 1)):
        monkeypatch.setattr(answer, "loader_of", lambda *_, ends=ends: ends(3))
        assert answer.in_a_process(tmp_path / "model", facts) == (answer.ENDED, f"by {code}")
