"""Collections of a process that serves: seldom, and not of what was there before."""

import subprocess
import sys

PROGRAM = """
import gc
from modelport_process.start import spared

class Cycle:
    closed = False
    def __init__(self):
        self.itself = self
    def __del__(self):
        Cycle.closed = True

held = Cycle()
assert gc.get_freeze_count() == 0
with spared():
    assert gc.get_freeze_count() > 1000
    assert gc.isenabled()
    collections = gc.get_stats()[0]["collections"]
    for _ in range(30_000):
        list_of_itself = []
        list_of_itself.append(list_of_itself)
    made = gc.get_stats()[0]["collections"] - collections
    assert 1 <= made <= 10, made
    del held
assert not Cycle.closed
gc.collect()
assert Cycle.closed
"""


def test_cycles_are_found_now_and_then_and_what_was_there_only_at_the_end() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
