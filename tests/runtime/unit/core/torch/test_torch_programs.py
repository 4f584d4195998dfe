"""What an exported program takes and gives is read from its JSON: the library is not needed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from modelport_formats.frameworks import torch_files
from modelport_runtime.core.backends.torch.program import Program, read
from modelport_runtime.core.types import LoadError

FILES = Path(__file__).parents[4] / "fixtures" / "torch"


def text(name: str) -> bytes:
    return torch_files.program(FILES / name)


def declared(program: Program) -> list[tuple[str, str, int]]:
    return [
        (each.tensor.name, each.tensor.type, len(each.tensor.shape)) for each in program.inputs if each.tensor
    ]


def test_a_free_batch_has_its_bounds() -> None:
    program = read(text("dynamic.pt2"))
    assert declared(program) == [("x", "tensor(float)", 2)]
    (given,) = program.inputs
    assert given.tensor
    assert (given.tensor.shape[1], program.most_rows) == (4, 64)
    assert isinstance(given.tensor.shape[0], str)
    assert [each.name for each in program.outputs] == ["output"]
    assert program.arguments([7]) == ((7,), {})


def test_a_fixed_batch_is_declared_as_such() -> None:
    program = read(text("fixed.pt2"))
    assert [list(each.tensor.shape) for each in program.inputs if each.tensor] == [[3, 4]]
    assert program.most_rows is None


def test_inputs_and_outputs_keep_their_names() -> None:
    program = read(text("two.pt2"))
    assert declared(program) == [("kind", "tensor(int64)", 1), ("measures", "tensor(float)", 2)]
    assert [each.name for each in program.outputs] == ["score", "length"]
    assert program.arguments([1, 2]) == ((1, 2), {})


def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    held = json.loads(text("dynamic.pt2"))
    change(held)
    return json.dumps(held).encode()


@pytest.mark.parametrize(
    ("bounds", "refused"),
    [((2, 64), {65: "at most 64 values along axis 1"}), ((5, None), {4: "at least 5 values along axis 1"})],
)
def test_a_free_second_size_has_its_bounds(bounds: tuple[int, int | None], refused: dict[int, str]) -> None:
    def ranged(held: dict[str, Any]) -> None:
        sizes = held["graph_module"]["graph"]["tensor_values"]["x"]["sizes"]
        sizes[1] = {"as_expr": {"expr_str": "Symbol('s27', positive=True, integer=True)"}}
        held["range_constraints"]["s27"] = {"min_val": bounds[0], "max_val": bounds[1]}

    (limit,) = read(changed(ranged)).limits["x"]

    for size in (1, 4, 5, 64, 65):
        message = limit.message(size) or ""
        assert refused.get(size, "") in message
        within = (bounds[0] <= 2 or size >= bounds[0]) and (bounds[1] is None or size <= bounds[1])
        assert (message == "") == within
    assert read(text("dynamic.pt2")).limits == {"x": ()}


def _mutates(held: dict[str, Any]) -> None:
    specs = held["graph_module"]["signature"]["output_specs"]
    specs.append({"buffer_mutation": {"arg": {"name": "a"}, "buffer_name": "b"}})


def _trains(held: dict[str, Any]) -> None:
    given = {"name": "train", "arg": {"as_bool": True}, "kind": 1}
    held["graph_module"]["graph"]["nodes"][0]["inputs"].append(given)


def _returns_a_number(held: dict[str, Any]) -> None:
    held["graph_module"]["signature"]["output_specs"] = [{"user_output": {"arg": {"as_int": 3}}}]


def _takes_an_object(held: dict[str, Any]) -> None:
    own = [1, {"type": "mine.Rows", "context": "null", "children_spec": []}]
    held["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = json.dumps(own)


def _of_an_odd_type(held: dict[str, Any]) -> None:
    held["graph_module"]["graph"]["tensor_values"]["x"]["dtype"] = 29


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_mutates, r"after model\.eval\(\)"),
        (_trains, r"after model\.eval\(\)"),
        (_returns_a_number, "returns something that is no tensor"),
        (_takes_an_object, "takes or returns a mine.Rows"),
        (_of_an_odd_type, "type number 29"),
    ],
)
def test_what_cannot_be_served_is_refused(change: Callable[[dict[str, Any]], None], words: str) -> None:
    with pytest.raises(LoadError, match=words) as refusal:
        read(changed(change))
    assert refusal.value.reason == "UnsupportedFormat"


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[]", b"null", b"{}", b"[" * 100_000, b'{"graph_module": 1}']
)
def test_damaged_json_is_said_to_be_so(damaged: bytes) -> None:
    with pytest.raises(LoadError, match="is damaged") as refusal:
        read(damaged)
    assert refusal.value.reason == "CorruptArtifact"
