"""Traces name modules as their owner knows them, and none of the platform's folders."""

import json
from pathlib import Path

import pytest
from modelport_runtime.core import backends
from modelport_runtime.core.traces import trace_of
from sklearn.linear_model import LinearRegression


def raised_by(call: object, *arguments: object) -> BaseException:
    assert callable(call)
    with pytest.raises(Exception) as raised:
        call(*arguments)
    return raised.value


def test_libraries_are_named_from_their_own_folder_on() -> None:
    trace = trace_of(raised_by(LinearRegression().fit, [["words"]], [1]))

    assert 'File "sklearn/linear_model/_base.py", line' in trace
    assert "site-packages" not in trace
    assert 'File "/' not in trace

    trace = trace_of(raised_by(json.loads, "{"))
    assert 'File "json/decoder.py", line' in trace


def test_the_platforms_own_lines_are_left_out_of_causes_too(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(b"\x80\x05cut off")

    def load() -> object:
        return backends.load(path, "sklearn", None, model="m", version="1", max_batch_rows=8)

    trace = trace_of(raised_by(load))

    assert "modelport_runtime/core" not in trace
    assert str(tmp_path) not in trace
