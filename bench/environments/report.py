"""What the matrix found, row by row: kept in a file, so that a row can be measured again alone."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from modelport_environments.choice import OF_SKLEARN, OF_XGBOOST, OWN_ONLY

from bench.environments.refusals import is_right

_FOLDER = Path(__file__).parents[1]
_REPORT, _KEPT = _FOLDER / "environments.md", _FOLDER / "environments.json"
HERE = "platform"
"""The platform's own libraries."""
_HEAD = """# Environments

Models that earlier versions saved, in every format that each can write, with what their own library answered.
Each is read where its upload would run.
A native file of XGBoost is compared with what its own library answers that has read it again.
*Same*: all predictions, and the probabilities of boosters, are its own library's (1e-6, equal labels).
`make bench-environments` measures all rows, `make bench-environments ARGS="sklearn-1.2 xgboost-2.1.4"` these.
It fails where a file is neither the same nor refused for its own reason (`bench/environments/refusals.py`).

| saved by | files | same | of those in an environment | refused | other |
|---|---:|---:|---:|---:|---:|
"""

Outcome = tuple[str, str]
"""`same`, `other` or the reason of the refusal, and the message."""


@dataclass(frozen=True)
class Served:
    """`row`: what saved it. `place`: the environment that its upload runs in."""

    file: str
    row: str
    kind: str
    format: str
    place: str
    outcome: Outcome

    @property
    def is_third(self) -> bool:
        return self.outcome[0] != "same" and not self.is_refused

    @property
    def is_refused(self) -> bool:
        """For its own reason, and no other."""
        return is_right(self.row, self.kind, self.format, self.outcome)


@dataclass(frozen=True)
class Row:
    """Counts of files. `elsewhere`: those of the same that run in an environment. `refused`: reason → kind →
    formats. `third`: what is neither. `only_own`: environment → what it alone serves, as measured here."""

    files: int
    same: int
    elsewhere: int
    refused: dict[str, dict[str, list[str]]]
    third: list[str]
    only_own: dict[str, list[str]]


def row_of(files: Collection[Served], only_own: dict[str, list[str]]) -> Row:
    """Sum up what came of the files."""
    same = [each for each in files if each.outcome[0] == "same"]
    return Row(
        files=len(files),
        same=len(same),
        elsewhere=sum(each.place != HERE for each in same),
        refused=_refused(files),
        third=[f"{each.file} in {each.place}: {', '.join(each.outcome)}" for each in files if each.is_third],
        only_own=only_own,
    )


def _refused(files: Iterable[Served]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each in files:
        if each.is_refused:
            found[each.outcome[0]][each.kind].append(each.format)
    return {reason: dict(kinds) for reason, kinds in found.items()}


def line(name: str, row: Row) -> str:
    """Return the row of the table."""
    refused = row.files - row.same - len(row.third)
    cells = [f"`{name}`", row.files, row.same, row.elsewhere, refused, len(row.third)]
    return f"| {' | '.join(map(str, cells))} |\n"


def kept() -> dict[str, Row]:
    """Return the rows that were measured before."""
    read = json.loads(_KEPT.read_text(encoding="utf-8")) if _KEPT.exists() else {}
    return {name: Row(**row) for name, row in read.items()}


def keep(name: str, row: Row, names: Collection[str]) -> None:
    """Write the row, the page, and what only an environment serves. What others measured meanwhile stays."""
    rows = kept() | {name: row}
    there = {each: rows[each] for each in names if each in rows}
    _KEPT.write_text(json.dumps({name: asdict(row) for name, row in there.items()}, indent=1) + "\n")
    text = _HEAD + "".join(line(*each) for each in there.items()) + _notes(there)
    if missing := [f"`{name}`" for name in names if name not in rows]:
        text += f"\nNot measured yet: {', '.join(missing)}.\n"
    _REPORT.write_text(text, encoding="utf-8")
    _write_only_own(there.values())


def _notes(rows: Mapping[str, Row]) -> str:
    lines = ["", "What is not the same:", ""]
    for name, row in rows.items():
        lines += [f"- `{name}`, {reason}: {_listed(kinds)}." for reason, kinds in row.refused.items()]
        lines += [f"- `{name}`, neither: {each}" for each in row.third]
    return "\n".join(lines) + "\n"


def _listed(kinds: Mapping[str, Collection[str]]) -> str:
    return "; ".join(f"{kind} ({', '.join(forms)})" for kind, forms in kinds.items())


def _write_only_own(rows: Iterable[Row]) -> None:
    """Of environments that no row was measured of, what is there stays."""
    lists = json.loads(OWN_ONLY.read_text(encoding="utf-8"))
    measured: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for place, names in row.only_own.items():
            measured[place].update(names)
    lists |= {name: sorted(names) for name, names in measured.items()}
    kept_lists = {name: lists.get(name, []) for name in (*OF_SKLEARN, *OF_XGBOOST)}
    OWN_ONLY.write_text(json.dumps(kept_lists, indent=2) + "\n", encoding="utf-8")
