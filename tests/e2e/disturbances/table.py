"""The table of docs/operations.md: `make disturbances` runs the tests and rewrites it."""

import os
from pathlib import Path

from tests.e2e.disturbances.kinds import KINDS
from tests.support.open_loop import Report

_PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
_BEGIN, _END = "<!-- disturbances -->", "<!-- end of disturbances -->"
_HEAD = (
    "| disturbance | requests | 5xx | lost | other errors | longest gap s | p50 ms | p99 ms |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)


def record(name: str, report: Report) -> None:
    """Write one row, if this run is to write the table."""
    if os.environ.get("MODELPORT_WRITE_DISTURBANCES") != "1":
        return
    head, rest = _PAGE.read_text().split(_BEGIN)
    table, tail = rest.split(_END)
    rows = {row.split("|")[1].strip(): row for row in table.strip().splitlines()[2:]}
    rows[name] = row_of(name, report)
    body = "\n".join([_HEAD, *(rows[kind] for kind in KINDS if kind in rows)])
    _PAGE.write_text(f"{head}{_BEGIN}\n{body}\n{_END}{tail}")


def row_of(name: str, report: Report) -> str:
    errors = report.statuses
    server = sum(count for status, count in errors.items() if status >= 500)
    other = len(report.failed) - server - errors[0]
    times = f"{report.latency(50) * 1000:.1f} | {report.latency(99) * 1000:.1f}"
    counts = f"{len(report.sent):,} | {server} | {errors[0]} | {other}"
    return f"| {name} | {counts} | {report.longest_gap:.2f} | {times} |"
