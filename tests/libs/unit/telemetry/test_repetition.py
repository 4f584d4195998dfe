"""Sketches of different processes add up only if equal values fall into one cell in all of them."""

import subprocess
import sys

from modelport_telemetry.drift.repetition import digest_of_value, empty_sketch, note_digest

VALUES = [None, True, 1.5, 7, "rome", [1]]
ASK = f"""
from modelport_telemetry.drift.repetition import digest_of_value, empty_sketch, note_digest
for value in {VALUES!r}:
    sketch = empty_sketch()
    note_digest(sketch, digest_of_value(value))
    print(sketch)
"""


def test_every_process_finds_the_same_cell() -> None:
    said = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True).stdout
    expected = []
    for value in VALUES:
        sketch = empty_sketch()
        note_digest(sketch, digest_of_value(value))
        expected.append(str(sketch))
    assert said.splitlines() == expected


def test_one_is_one_however_it_is_written() -> None:
    sketch = empty_sketch()
    for value in (1, 1.0, True):
        note_digest(sketch, digest_of_value(value))
    assert sorted(map(abs, sketch))[-1] == 3
