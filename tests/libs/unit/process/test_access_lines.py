"""Lines that are gathered for one write are neither lost nor out of order."""

import asyncio
import io
import json
import subprocess
import sys

from modelport_process.logging import AccessLines

LOSES_NOTHING = """
import asyncio, sys
from modelport_process.logging import access_lines
from modelport_process.logging import configure

configure("gateway", sys.argv[1])

async def main():
    access_lines().add("POST", "/predict/iris", 200, 0.0123456, client_ip="local", request_id="r1")
    sys.exit(3)  # Before the event loop's next turn.

asyncio.run(main())
"""


class Output(io.StringIO):
    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


def add(lines: AccessLines, request_id: str) -> None:
    lines.add("POST", "/predict/é", 200, 0.0123456, client_ip="192.0.2.1", request_id=request_id)


async def test_the_lines_of_one_turn_are_one_write() -> None:
    output = Output()
    lines = AccessLines("gateway", output)
    for number in range(3):
        add(lines, str(number))
    assert not output.writes
    await asyncio.sleep(0)
    assert output.writes == 1
    add(lines, "3")
    await asyncio.sleep(0)
    read = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [line["request_id"] for line in read] == ["0", "1", "2", "3"]
    assert (read[0]["path"], read[0]["duration_ms"], read[0]["part"]) == ("/predict/é", 12.35, "gateway")
    assert read[0]["timestamp"].endswith("Z")


async def test_without_an_output_nothing_is_kept() -> None:
    lines = AccessLines("gateway", None)
    add(lines, "1")
    assert not lines._waiting


async def test_an_output_that_fails_harms_no_request() -> None:
    output = Output()
    lines = AccessLines("gateway", output)
    add(lines, "1")
    output.close()
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    await asyncio.sleep(0)
    add(lines, "2")
    await asyncio.sleep(0)
    assert len(failures) == 2


def run(level: str) -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, "-c", LOSES_NOTHING, level], capture_output=True, text=True)
    return done.returncode, done.stderr.splitlines()


def test_a_process_that_ends_loses_no_line() -> None:
    code, written = run("info")
    assert code == 3
    assert [json.loads(line)["request_id"] for line in written] == ["r1"]


def test_a_higher_level_leaves_them_out() -> None:
    assert run("warning") == (3, [])
