"""Frames: whole again whatever pieces they come in, bounded, and typed."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_runtime import wire
from modelport_runtime.core.types import Call, Failure


@settings(deadline=None)
@given(st.lists(st.binary(max_size=100), max_size=20), st.lists(st.integers(1, 50), min_size=1))
def test_frames_come_together_whatever_their_pieces(bodies: list[bytes], sizes: list[int]) -> None:
    calls = [wire.PredictBatch([Call("native", body)]) for body in bodies]
    stream = b"".join(map(wire.frame, calls))
    frames, heard = wire.Frames(), []
    while stream:
        size = sizes[len(stream) % len(sizes)]
        heard += [wire.decode_to_model(body) for body in frames.feed(stream[:size])]
        stream = stream[size:]

    assert heard == calls


def test_a_frame_is_refused_by_what_it_says_before_it_comes() -> None:
    with pytest.raises(wire.ProtocolError, match="101 bytes"):
        list(wire.Frames(100).feed(b"\0\0\0\x65"))
    assert list(wire.Frames(100).feed(b"\0\0\0\x64" + b"x" * 100)) == [b"x" * 100]


@pytest.mark.parametrize(
    "message",
    [
        wire.Sandboxed(2, "both"),
        wire.Loaded(b"{}", 0.5, True),
        wire.ProofReport(b"plan", 10_000, 1e-16, "proven"),
        wire.BatchResult([b"{}", Failure(422, "t", "d", errors=[{"field": "a", "message": "b"}])], 0.1),
        wire.Rechecked(None),
    ],
)
def test_what_the_model_process_says_is_heard(message: wire.FromModel) -> None:
    (body,) = wire.Frames().feed(wire.frame(message))

    assert wire.decode_from_model(body) == message
    with pytest.raises(msgspec.ValidationError):
        wire.decode_to_model(body)
