"""What every test of the runtime's parts has."""

import pytest
from modelport_formats import windows
from modelport_runtime.core import suspicion
from modelport_runtime.core.backends.onnx import probes

_LONG_SECONDS = 600.0


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime looks for what is wrong for seconds at most; a busy machine would find less in them."""
    monkeypatch.setattr(suspicion, "_MAX_SECONDS", _LONG_SECONDS)
    monkeypatch.setattr(probes, "_SECONDS", _LONG_SECONDS)
    monkeypatch.setattr(windows, "_MAX_SECONDS", _LONG_SECONDS)
