"""Samples, ids and names."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_control_api.models.uploads import parse_sample
from modelport_control_api.registry.service import new_model_id


@settings(deadline=None)
@given(st.text(max_size=150))
def test_a_model_id_is_a_dns_label_with_room_for_its_version(name: str) -> None:
    model_id = new_model_id(name)
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", model_id)
    assert len(f"{model_id}-v999999") <= 63


def test_two_models_of_one_name_get_two_ids() -> None:
    assert new_model_id("iris") != new_model_id("iris")


@pytest.mark.parametrize("row", ['{"a": 1}', "[1, 2]", '"some text"'])
def test_a_sample_is_one_row_bare_or_wrapped(row: str) -> None:
    assert parse_sample(row) == parse_sample(f'{{"input": {row}}}')


@pytest.mark.parametrize("text", ["5", "null", "{", "NaN", '{"a": Infinity}', '"\\ud800"', "[" * 50_000])
def test_what_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_sample(text)
