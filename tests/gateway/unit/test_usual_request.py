"""The quick way to a cache key gives the general way's key, for whatever bytes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_gateway.cache.key import Canonical, Uncacheable, cache_key
from modelport_gateway.cache.row_decoder import usual_request

TOKENS = [
    "0", "-0", "-0.0", "0.0", "1", "1.0", "-1", "1e0", "10E-1", "5.1", "1e-400", "1e400", "4.9e-324",
    "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740992.0", "-9007199254740993",
    "18446744073709551616", "123456789012345678901234567890", "0.1000000000000000055511151231257827",
    "1.7976931348623157e308", "null", "true", "NaN", "Infinity", "01", "1.", "+1", "[]", "[1]", "{}",
    '"1"', '"a"', '""', r'"\u0061"', r'"\ud800"', '"é"', r'"\n"', '"-0"',
]  # fmt: skip
SHAPES = [
    '{"input":%s}', '{ "input" : %s }\n', '{"input":%s,"return":["prediction"]}', '{"input":1,"input":%s}',
    '{"inputs":[%s]}', '{"input":%s', '{"input":%s}}',
]  # fmt: skip
NAMES = ['quo"te', "back\\slash", "\n", "", "é", "class", "a b", "__init__", "column1"]
KINDS = ["number", "string", "integer", "any"]
columns_of = st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), min_size=1, max_size=4)
numbers = st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers().map(str)


def canonical(columns: list[tuple[str, bool]], names: list[str] | None = None) -> Canonical:
    names = names or [f"c{at}" for at in range(len(columns))]
    described = [
        {"name": name, "kind": kind, "optional": optional}
        for name, (kind, optional) in zip(names, columns, strict=True)
    ]
    return Canonical.from_signature({"columns": described, "positional": False, "input": "rows"})


def key(way: Canonical, body: bytes) -> bytes | None:
    try:
        return cache_key(b"scope", way, body)
    except Uncacheable:
        return None


@st.composite
def bodies(draw: Any) -> tuple[Canonical, bytes]:
    columns = draw(columns_of)
    names = [f"c{at}" for at in range(len(columns))]
    some = draw(st.lists(st.sampled_from([*names, "other", r"\u0063\u0030"]), max_size=2))
    chosen = draw(st.permutations([*names, *some])) if draw(st.booleans()) else names
    cells = [f'"{name}":{draw(st.sampled_from(TOKENS) | numbers)}' for name in chosen]
    row = "{" + ",".join(cells) + "}"
    shape = draw(st.sampled_from(SHAPES))
    return canonical(columns), (shape % row).encode()


@settings(deadline=None)
@given(bodies())
def test_both_ways_give_one_key(given_: tuple[Canonical, bytes]) -> None:
    way, body = given_
    assert key(way, body) == key(replace(way, usual=None), body)


@settings(deadline=None)
@given(
    st.binary(max_size=60) | st.binary(max_size=30).map(lambda inside: b'{"input":{"c0":' + inside + b"}}")
)
def test_no_bytes_part_the_ways(body: bytes) -> None:
    for kind in ("number", "string"):
        way = canonical([(kind, True)])
        assert key(way, body) == key(replace(way, usual=None), body)


def test_the_usual_request_goes_the_quick_way() -> None:
    way = canonical([("number", False), ("string", False), ("number", True)])
    assert way.usual is not None
    assert way.usual.cells(b'{"input":{"c1":"x","c0":5}}') == (5.0, "x", None)
    assert key(way, b'{"input":{"c1":"x","c0":5}}') == key(
        way, b'{"input": {"c0": 5.0, "c2": null, "c1": "x"}}'
    )


@pytest.mark.parametrize(
    "columns", [[("integer", False)], [("number", False)] * 201], ids=["integers", "too many columns"]
)
def test_what_has_no_quick_way(columns: list[tuple[str, bool]]) -> None:
    assert canonical(columns).usual is None


@pytest.mark.parametrize(
    "name", ['quo"te', "back\\slash", "\n", "", "é", "class", "a b", "__init__", "column1"]
)
def test_a_hostile_name_of_a_column_is_harmless(name: str) -> None:
    way = canonical([("number", False), ("number", False)], [name, "c1"])
    body = json.dumps({"input": {name: 1, "c1": 2}}).encode()
    assert key(way, body) == key(replace(way, usual=None), body) is not None


def test_one_decoder_serves_all_versions_of_one_signature() -> None:
    assert canonical([("number", False)]).usual is canonical([("number", False)]).usual
    assert usual_request(()) is None
