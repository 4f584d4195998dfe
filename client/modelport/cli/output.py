"""What people and scripts read: results on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# So wide that what grep and awk read is one line a row.
_PIPED_WIDTH = 1000

_STATUS_STYLES = {"ready": "green", "pending": "yellow", "degraded": "yellow", "failed": "red"}


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_line(text: str) -> None:
    """A result. Not through rich: what comes from a platform is no markup, and pipes get no wrapping."""
    print(text)


def note(text: str) -> None:
    """For the person watching; not part of the result."""
    print(text, file=sys.stderr)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Text | str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # An id that is cut in two cannot be copied.
        table.add_column(column, overflow="fold", no_wrap=column == "ID")
    for row in rows:
        # Text: square brackets in a user's own names are no markup.
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(table)


def status_text(status: str) -> Text:
    return Text(status, style=_STATUS_STYLES.get(status, ""))


def moment_text(moment: datetime | None) -> str:
    return "–" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")


def traffic_text(traffic: dict[str, int]) -> str:
    return ", ".join(f"{version} {percent} %" for version, percent in sorted(traffic.items())) or "–"


def size_text(size: float) -> str:
    """`12.3 MB`"""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
