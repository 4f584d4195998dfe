"""What users and scripts read: results on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from modelport.models import Version


class _Listed(Protocol):
    @property
    def raw(self) -> Any: ...


Listed = TypeVar("Listed", bound=_Listed)

# So wide that what grep and awk read is one line a row.
_PIPED_WIDTH = 1000

# Of a line that the runtime logged itself.
_SHOWN_FIRST = ("time", "level", "event")
_TRACE = "trace"

# Plurals; as `modelport_http.wording` has them, of which the client imports nothing.
_ENDS_WITH_ES = ("s", "x", "ch", "sh")

_MOST_TERMS = 20
_ROUNDING = 1e-12
_SCALES = {
    "prediction": "the prediction",
    "log_prediction": "the logarithm of the prediction",
    "probability": "the probability",
    "log_odds": "the log-odds",
    "score": "the score",
}

_STATUS_STYLES = {"ready": "green", "pending": "yellow", "degraded": "yellow", "failed": "red"}


def print_json(value: Any) -> None:
    """Print indented JSON on stdout; what JSON has no type for is printed as its `str`."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_line(text: str) -> None:
    """A result. Not through rich: what comes from a platform is no markup, and pipes get no wrapping."""
    print(text)


def note(text: str) -> None:
    """For the person watching; not part of the result."""
    print(text, file=sys.stderr)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Text | str]]) -> None:
    """A table where it fits; else one block for each row: cells cut into slices cannot be read or copied."""
    # Text: square brackets in a user's own names are no markup.
    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in cells:
        table.add_row(*row)
    if table.__rich_measure__(console, console.options.update_width(_PIPED_WIDTH)).maximum <= console.width:
        console.print(table)
    else:
        _print_blocks(console, columns, cells)


def print_listed(
    found: Sequence[Listed],
    columns: Sequence[str],
    row: Callable[[Listed], Sequence[Text | str]],
    *,
    as_json: bool,
    nothing: str,
) -> None:
    """A table of what the API lists, or its own JSON. nothing: what is said where there is none."""
    if as_json:
        print_json([each.raw for each in found])
    elif found:
        print_table(columns, map(row, found))
    else:
        note(nothing)


def _print_blocks(console: Console, columns: Sequence[str], rows: Iterable[Sequence[Text]]) -> None:
    label_width = max(map(len, columns))
    for first, *others in rows:
        console.print(first, style="bold", soft_wrap=True)
        for name, cell in zip(columns[1:], others, strict=True):
            console.print(Text.assemble(f"  {name.lower():<{label_width}}  ", cell), soft_wrap=True)


def status_text(status: str) -> Text:
    """Return the status in its color; one that is not known stays plain."""
    return Text(status, style=_STATUS_STYLES.get(status, ""))


def access_text(access: str) -> Text:
    """Return the access; public in a color, so that it is seen in a list."""
    return Text(access or "–", style="yellow" if access == "public" else "")


def moment_text(moment: datetime | None) -> str:
    """Return local time to the minute; a dash for None."""
    return "–" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")


def traffic_text(traffic: dict[str, int]) -> str:
    """Return `v1 90 %, v2 10 %`, by name; a dash where no version gets requests."""
    return ", ".join(f"{version} {percent} %" for version, percent in sorted(traffic.items())) or "–"


def engine_text(version: Version) -> str:
    """`numpy: NumPy kernels gave the original's answers on 4,096 generated rows.`"""
    detail = (version.acceleration or {}).get("detail")
    return f"{version.engine}: {detail}" if detail else version.engine


_MARKS = {"removed": "-", "added": "+"}


def change_lines(differences: Mapping[str, Any]) -> list[str]:
    """`v2 against v1:`, and a line for each change: `  - input petal_width is gone`."""
    lines = []
    for version, found in differences.items():
        lines.append(f"{version} against {found.get('compatible_with')}:")
        for change in found.get("changes") or ():
            mark = _MARKS.get(str(change.get("what")).rpartition("_")[2], "~")
            lines.append(printable(f"  {mark} {change.get('message')}"))
        if found.get("more"):
            lines.append(f"  and {found['more']} more")
    return lines


def size_text(size: float) -> str:
    """`12.3 MB`"""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def counted(number: float, noun: str) -> str:
    """`0 rows`, `1 row`, `12,345 rows`: the last word of `noun`, a singular, gets its plural."""
    return f"{number:,.15g} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """`rows`, `classes`, `tries`: of the last word of a singular."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(_ENDS_WITH_ES) else f"{noun}s"


def readable(text: str) -> str:
    """A version's log: the runtime's own JSON lines as sentences, the model's as they are.

    Without control characters: what a model prints must not steer the terminal.
    """
    return "\n".join(printable(each) for line in text.splitlines() for each in _lines_of(line))


def _lines_of(line: str) -> list[str]:
    try:
        event = json.loads(line)
    except ValueError:
        return [line]
    return _sentence(event) if _is_event(event) else [line]


def _is_event(event: Any) -> bool:
    return isinstance(event, dict) and all(isinstance(event.get(name), str) for name in _SHOWN_FIRST)


def _sentence(event: dict[str, Any]) -> list[str]:
    rest = [
        f"{name}={_value(value)}"
        for name, value in event.items()
        if name not in (*_SHOWN_FIRST, _TRACE) and value is not None
    ]
    head = (event["time"][:19].replace("T", " "), event["level"].upper(), event["event"])
    trace = str(event.get(_TRACE) or "").splitlines()
    return [" ".join((*head, *rest)), *(f"  {each}" for each in trace)]


def _value(value: Any) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)


def printable(line: str) -> str:
    """Return the line without control characters: what a file holds must not steer the terminal."""
    return "".join(char if char.isprintable() or char == "\t" else "�" for char in line)


def contribution_lines(contributions: Any) -> list[str] | None:
    """A row's contributions, the largest first; None for what is none: another output may be called so."""
    match contributions:
        case {"scale": str(scale), "classes": dict(classes)} if all(map(_is_sum, classes.values())):
            return [
                line for name, terms in classes.items() for line in _term_lines(terms, scale, f" of {name}")
            ]
        case {"scale": str(scale)} if _is_sum(contributions):
            of = f" of {contributions['class']}" if "class" in contributions else ""
            return list(_term_lines(contributions, scale, of))
    return None


def _is_sum(terms: Any) -> bool:
    return isinstance(terms, dict) and isinstance(terms.get("values"), dict) and "base" in terms


def _term_lines(terms: Mapping[str, Any], scale: str, of: str) -> Iterator[str]:
    values = sorted(terms["values"].items(), key=lambda pair: -abs(pair[1] or 0.0))
    total = _sum_of_terms([terms["base"], *(value for _, value in values)])
    yield f"contributions to {_SCALES.get(scale, scale)}{of}: {_term_text(total)}"
    yield f"  {_term_text(terms['base'], sign=True)}  (base)"
    for name, value in values[:_MOST_TERMS]:
        yield f"  {_term_text(value, sign=True)}  {name}"
    if len(values) > _MOST_TERMS:
        rest = [value for _, value in values[_MOST_TERMS:]]
        yield f"  {_term_text(_sum_of_terms(rest), sign=True)}  ({len(rest)} more)"


def _sum_of_terms(numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return None
    total = sum(known)
    # What the terms' rounding has left is nothing.
    return 0.0 if abs(total) < _ROUNDING * max(map(abs, known)) else total


def _term_text(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "?"
    return f"{value:+.4g}" if sign else f"{value:.4g}"
