"""Equal keys only for requests that the runtime decodes to the same rows."""

import json
import math
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from modelport_gateway.cache.key import Canonical, Uncacheable, cache_key, cache_scope

SCOPE = b"scope"


def signature(*kinds: str, positional: bool = False, optional: bool = True) -> dict[str, Any]:
    columns = [{"name": f"c{at}", "kind": kind, "optional": optional} for at, kind in enumerate(kinds)]
    return {"columns": columns, "positional": positional, "input": "rows"}


def key_of(body: Any, described: dict[str, Any] | None) -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return cache_key(SCOPE, Canonical.from_signature(described), text)


def same(one: Any, other: Any, *kinds: str, **options: bool) -> bool:
    described = signature(*kinds, **options)
    return key_of({"input": one}, described) == key_of({"input": other}, described)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(-1e15, 1e15), st.text(max_size=8)
)


def identity_of(value: Any, kind: str) -> Any:
    """What docs/contracts.md says makes two cells different, written another way than the code under test."""
    numeric = type(value) in (int, float) and kind in ("number", "integer")
    if numeric and math.copysign(1, value) == -1 and value == 0 and type(value) is float:
        return "minus zero"
    return ("numeric", value) if numeric else (type(value).__name__, repr(value))


@settings(deadline=None)
@given(
    st.lists(st.tuples(scalars, scalars, st.sampled_from(["number", "integer", "any", "string"])), min_size=1)
)
def test_keys_are_equal_exactly_when_the_contract_says_so(cells: list[tuple[Any, Any, str]]) -> None:
    one, other, kinds = zip(*cells, strict=True)
    equal = all(identity_of(a, kind) == identity_of(b, kind) for a, b, kind in cells)
    big = [v for v in (*one, *other) if type(v) in (int, float) and abs(v) > 2**53]
    assume(not big)
    assert same(list(one), list(other), *kinds) == equal


@settings(deadline=None)
@given(st.lists(scalars, min_size=2, max_size=5), st.randoms())
def test_key_order_and_naming_make_no_difference(cells: list[Any], random: Any) -> None:
    assume(not any(type(cell) is float and abs(cell) > 2**53 for cell in cells))
    kinds = ["any"] * len(cells)
    named = [(f"c{at}", cell) for at, cell in enumerate(cells)]
    shuffled = random.sample(named, len(named))
    assert same(dict(named), dict(shuffled), *kinds)
    assert same(dict(named), cells, *kinds)


@settings(deadline=None)
@given(st.lists(scalars, min_size=2, max_size=4, unique_by=repr))
def test_in_a_positional_signature_order_counts(cells: list[Any]) -> None:
    named = {f"x{at}": cell for at, cell in enumerate(cells)}
    backwards = dict(reversed(named.items()))
    assert not same(named, backwards, *["any"] * len(cells), positional=True)


@pytest.mark.parametrize(
    ("one", "other", "kind", "equal"),
    [
        (1, 1.0, "number", True),
        (1, 1.0, "integer", True),
        (1, 1.0, "any", False),
        (1, 1.0, "tensor", False),
        (1, True, "number", False),
        (0, False, "integer", False),
        (1, "1", "number", False),
        (0.0, -0.0, "number", False),
        (0, -0.0, "integer", False),
        (0, 0.0, "number", True),
        (None, "", "string", False),
        (None, "null", "string", False),
        ("é", "e\u0301", "string", False),
        (2**53, 2**53 + 1, "number", False),
        (2**62, 2**62 + 1, "integer", False),
        ([1, [2]], [[1], 2], "tensor", False),
        ("1,2", ["1", "2"], "any", False),
    ],
)
def test_values_are_distinguished_as_the_runtime_does(one: Any, other: Any, kind: str, equal: bool) -> None:
    assert same([one], [other], kind) == equal


def test_absent_is_null_where_a_column_is_optional() -> None:
    assert same({"c0": 1}, {"c0": 1, "c1": None}, "number", "number")


def test_one_row_is_not_many_and_another_return_is_another_response() -> None:
    described = signature("number")
    bodies = [
        {"input": [1]},
        {"inputs": [[1]]},
        {"inputs": [[1], [1]]},
        {"input": [1], "return": ["probabilities"]},
        {"input": [1], "return": ["prediction", "probabilities"]},
    ]
    assert len({key_of(body, described) for body in bodies}) == len(bodies)
    assert key_of({"input": [1], "return": ["prediction"]}, described) == key_of({"input": [1]}, described)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b'{"input": [1e400]}',
        b'{"input": [18446744073709551617]}',
        b'{"input": {"c0": [18446744073709551617]}}',
        b"[1]",
        b"{}",
        b'{"input": [1], "inputs": [[1]]}',
        b'{"inputs": {"c0": 1}}',
        b'{"input": [1], "more": 1}',
        b'{"input": [1], "return": "prediction"}',
        b'{"input": [1, 2]}',
        b'{"input": {"c0": 1, "unknown": 2}}',
        b'{"input": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"input": "\\ud800"}',
    ],
)
def test_what_it_cannot_be_sure_of_bypasses_the_cache(body: bytes) -> None:
    with pytest.raises(Uncacheable):
        key_of(body, signature("any"))


def test_a_missing_column_that_is_needed_bypasses_the_cache() -> None:
    with pytest.raises(Uncacheable):
        key_of({"input": {}}, signature("number", optional=False))


@pytest.mark.parametrize(
    "described",
    [
        None,
        {},
        {"columns": None},
        {"columns": 7, "input": "rows"},
        {"columns": [{}], "input": "rows"},
        {"input": "text"},
    ],
)
def test_without_a_readable_signature_rows_count_as_they_are(described: dict[str, Any] | None) -> None:
    assert key_of({"input": {"a": 1}}, described) == key_of(b'{"input":{"a":1}}', described)
    assert key_of({"input": {"a": 1}}, described) != key_of({"input": {"a": 1.0}}, described)
    assert key_of({"input": "a"}, described) != key_of({"input": ["a"]}, described)


def test_two_columns_of_one_name_are_never_mixed_up() -> None:
    described = signature("number", "number")
    described["columns"][1]["name"] = "c0"
    assert key_of({"input": [1, 2]}, described) != key_of({"input": [2, 1]}, described)


def test_all_that_a_response_depends_on_is_in_the_scope() -> None:
    parts = {"model_uid": "u", "public_id": "i", "version": "v1", "artifact_sha256": "a", "template": "t"}
    scopes = [cache_scope(signature=None, **parts), cache_scope(signature={"task": "x"}, **parts)]
    scopes += [cache_scope(signature=None, **(parts | {name: "other"})) for name in parts]
    assert len(set(scopes)) == len(scopes)


def test_a_signature_with_huge_integers_has_a_scope_too() -> None:
    assert cache_scope(signature={"classes": [2**200]}) != cache_scope(signature={"classes": [2**201]})
