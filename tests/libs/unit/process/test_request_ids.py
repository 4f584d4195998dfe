"""Ids of requests: the caller's where it is harmless, else one that nobody else has."""

import os
import sys
from types import FrameType

from modelport_process.logging import request_id_for


def test_new_ids_are_random_and_never_twice() -> None:
    ids = {request_id_for("") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)


def test_a_line_break_at_the_end_is_not_sane() -> None:
    assert request_id_for("a.B-9_z") == "a.B-9_z"
    assert len(request_id_for("forged\n")) == 32


def test_a_forked_process_gives_others() -> None:
    request_id_for("")
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, request_id_for("").encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 32).decode() not in {request_id_for("") for _ in range(128)}
    os.close(reader)
    os.close(writer)


def test_no_function_of_ours_runs_by_itself_in_a_forked_process() -> None:
    """It could wait there for ever for a lock that a thread of the parent held, such as coverage's."""
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_filename)

    reader, writer = os.pipe()
    sys.setprofile(note)
    child = os.fork()
    sys.setprofile(None)
    if not child:
        os.write(writer, " ".join(called).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as told:
        assert "modelport_" not in told.read()
