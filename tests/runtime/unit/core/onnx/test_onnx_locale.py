"""Texts in lower case, as converters of text vectorizers ask for it, also where no English locale is."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from modelport_runtime.core.backends.onnx.session import with_installed_locale
from onnx import helper

from tests.runtime.unit.core.conftest import open_engine, predict
from tests.support.onnx_graphs import Graph

LETTERS = "ÀÉÎÕÜ ÆØÅ ĄĆĘŁŃ ΑΒΓΔ АБВГД ẞ ABC xyz 1 東京"


def lower_case(locale: str | None = None) -> Graph:
    given = {} if locale is None else {"locale": locale}
    node = helper.make_node("StringNormalizer", ["x"], ["y"], case_change_action="LOWER", **given)
    return Graph([node], [("x", "str", [None])], [("y", "str", [None])])


@pytest.mark.parametrize("locale", [None, "en_US.UTF-8", "en_GB.UTF-8"])
def test_texts_are_folded_as_the_graph_says(locale: str | None, tmp_path: Path) -> None:
    engine = open_engine(lower_case(locale).save(tmp_path), "onnx")
    assert predict(engine, {"inputs": [LETTERS, "Ab"]})["predictions"] == [LETTERS.lower(), "ab"]


@pytest.mark.parametrize("locale", [None, "en_US.UTF-8"])
def test_the_installed_locale_takes_the_place_of_an_english_one_alone(locale: str | None) -> None:
    changed = onnx.load_from_string(with_installed_locale(lower_case(locale).bytes()))
    onnx.checker.check_model(changed)
    (node,) = changed.graph.node
    assert {each.name: each.s for each in node.attribute} == {
        "case_change_action": b"LOWER",
        "locale": b"C.UTF-8",
    }
    session = onnxruntime.InferenceSession(changed.SerializeToString())
    assert session.run(None, {"x": np.array([LETTERS], object)})[0].tolist() == [LETTERS.lower()]


def test_other_locales_and_other_graphs_stay_byte_for_byte() -> None:
    weights = {"w": np.arange(300, dtype=np.float32).reshape(2, 150)}
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    other = Graph([product], [("x", "float32", [None, 2])], [("y", "float32", [None, 150])], weights)
    for data in (lower_case("tr_TR.UTF-8").bytes(), other.bytes()):
        assert with_installed_locale(data) == data
