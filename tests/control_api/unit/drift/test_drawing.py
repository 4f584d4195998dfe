"""A row like those of a reference is drawn from its bins: values are such as the reference has."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_control_api.drift.profiles.drawing import drawn_row
from modelport_control_api.drift.profiles.profile import Profile, match
from modelport_control_api.drift.profiles.profiling import profile_csv
from modelport_telemetry.drift.bins import MISSING
from modelport_telemetry.drift.counting import cell_of


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, **more}


def profile_of(folder: Path, names: str, rows: list[str]) -> Profile:
    path = folder / "reference.csv"
    path.write_text("\n".join([names, *rows]))
    return profile_csv(path)


def draw(
    profile: Profile, *columns: dict[str, Any], times: int = 200, **signature: Any
) -> list[dict[int, Any]]:
    matched = match(profile, {"columns": columns, **signature})
    chooser = random.Random(7)
    return [drawn_row(matched, columns, chooser) for _ in range(times)]


def test_values_are_those_of_the_reference_as_the_model_takes_them(tmp_path: Path) -> None:
    rows = [f"{30 + at % 40},{at / 7:.3f},{('teal', 'red')[at % 3 == 0]},{at % 2 == 0}" for at in range(400)]
    profile = profile_of(tmp_path, "age,income,hue,owner", rows)
    columns = (
        column("owner", "boolean"),
        column("hue", "string"),
        column("income", "number"),
        column("age", "integer"),
    )
    found = draw(profile, *columns)
    assert {row[0] for row in found} == {True, False}
    assert {row[1] for row in found} == {"teal", "red"}
    assert all(0 <= row[2] <= 399 / 7 for row in found)
    assert all(isinstance(row[3], int) and 30 <= row[3] <= 69 for row in found)
    assert len({row[2] for row in found}) > 50
    # As often as the reference has them, roughly.
    assert 90 < sum(row[1] == "teal" for row in found) < 170


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=30, max_size=150))
def test_a_number_falls_into_a_bin_that_the_reference_fills(values: list[float]) -> None:
    with TemporaryDirectory() as folder:
        profile = profile_of(Path(folder), "x", [repr(value) for value in values])
    matched = match(profile, {"columns": [column("x", "number")]})
    (feature,) = matched.reference_bins("r", None).features
    cells, find = profile.columns[0].cells, cell_of(feature)
    for row in draw(profile, column("x", "number"), times=30):
        assert cells[find(row[0])] > 0
        assert min(values) <= row[0] <= max(values)


def test_what_came_once_is_left_to_the_sample(tmp_path: Path) -> None:
    rows = [f"person{at}@example.com,{at % 2}" for at in range(50)]
    found = draw(profile_of(tmp_path, "mail,flag", rows), column("mail", "string"), column("flag", "number"))
    assert all(row.keys() == {1} for row in found)


def test_numbers_that_somebody_gives_out_are_left_to_the_sample(tmp_path: Path) -> None:
    rows = [f"{1000 + at},{at % 2}" for at in range(300)]
    found = draw(profile_of(tmp_path, "id,flag", rows), column("id", "integer"), column("flag", "integer"))
    assert all(row.keys() == {1} for row in found)


def test_a_missing_value_is_drawn_only_where_the_model_takes_it(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, "x,y", [f"{at % 3 if at % 2 else ''},1" for at in range(100)])
    assert profile.columns[0].cells[MISSING] == 50
    assert any(row[0] is None for row in draw(profile, column("x", "number", optional=True)))
    assert all(row[0] is not None for row in draw(profile, column("x", "number")))


def test_a_category_that_is_none_of_the_models_is_left_out(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, "hue", [("red", "blue")[at % 2] for at in range(60)])
    found = draw(profile, column("hue", "string", values=["red", "green"]))
    assert {row.get(0) for row in found} == {"red", None}


@pytest.mark.parametrize(
    ("text", "wanted", "drawn"),
    [
        ("3", column("x", "number"), 3),
        ("3", column("x", "string"), "3"),
        ("3", column("x", "any"), 3),
        ("1", column("x", "boolean"), True),
        ("true", column("x", "number"), True),
        ("true", column("x", "boolean"), True),
        ("true", column("x", "string"), "true"),
        ("3", column("x", "integer", values=[3, 4]), 3),
        ("2.5", column("x", "integer"), None),
        ("red", column("x", "number"), None),
    ],
)
def test_a_value_is_of_the_columns_kind(
    tmp_path: Path, text: str, wanted: dict[str, Any], drawn: object
) -> None:
    profile = profile_of(tmp_path, "x", [text] * 60)
    (row,) = draw(profile, wanted, times=1)
    assert row.get(0) == drawn
    assert type(row.get(0)) is type(drawn)


def test_a_model_without_names_gets_its_values_by_place(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, "a,b", [f"{at % 4},{10 + at % 4}" for at in range(60)])
    columns = (column("x0", "number"), column("x1", "number"))
    found = draw(profile, *columns, positional=True)
    assert all(0 <= row[0] <= 3 and 10 <= row[1] <= 13 for row in found)


def test_nothing_is_drawn_for_a_column_that_the_reference_lacks(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, "a", [str(at % 4) for at in range(60)])
    assert draw(profile, column("b", "number"), column("a", "number"), times=1)[0].keys() == {1}
    assert draw(profile, times=1) == [{}]
