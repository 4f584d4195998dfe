"""A rollout in plain words."""

from typing import Any

from modelport.cli.output import counted, print_line, print_table, printable
from modelport.models import Finding, Rollout

_STATES = {
    "pending": "waits until the version has answered",
    "replaying": "replays kept rows",
    "shadowing": "compares copies of requests",
    "canary": "has a share of the traffic",
    "baking": "has all traffic, the old version stays ready",
    "promoted": "promoted",
    "rolled_back": "rolled back",
    "inconclusive": "inconclusive",
    "cancelled": "cancelled",
}
_DECISIONS = {
    "promote": "is being promoted",
    "rollback": "is being rolled back",
    "cancel": "is being cancelled",
}
_FINDINGS = {"within": "ok", "beyond": "BROKEN", "unknown": "not known yet"}


def show(found: Rollout) -> None:
    """Print where it stands, what is known of each guardrail, and what was counted."""
    print_line(progress_text(found))
    if found.findings:
        columns = ("GUARDRAIL", "FINDING", "MEASURED", "BETWEEN", "TOLERATED", "OF", "")
        print_table(columns, map(_finding_row, found.findings))
    if steps := found.raw.get("evidence"):
        columns = ("STEP", "COMPARED ROWS", "DIFFER", "REQUESTS", "ERRORS", "P99", "BASELINE'S P99")
        print_table(columns, map(_step_row, steps))
    for each in found.raw.get("worst_segments") or ():
        where = f"{each['disagreements']:,} of {counted(each['rows'], 'row')} differ where {each['segment']}"
        print_line(printable(where))


def progress_text(found: Rollout) -> str:
    """`Rollout 3, v1 to v2: has a share of the traffic (5 %); held: too little traffic`"""
    text = f"Rollout {found.id}, {found.baseline or 'what serves'} to {found.version}: {state_text(found)}"
    if found.weight and not found.is_over:
        text += f" ({found.weight} %)"
    if found.paused and not found.is_over:
        text += "; paused"
    if decision := _DECISIONS.get(found.raw.get("decision") or ""):
        text += "" if found.is_over else f"; {decision}"
    if found.held and not found.is_over:
        text += f"; held: {found.held}"
    return printable(f"{text}. {found.verdict}" if found.verdict else text)


def state_text(found: Rollout) -> str:
    """Return the state in words; one that is not known as it is."""
    return _STATES.get(found.state, found.state)


def _finding_row(found: Finding) -> tuple[str, ...]:
    between = "–"
    if found.observations and found.lower is not None and found.upper is not None:
        between = f"{_number(found.lower)} and {_number(found.upper)}"
    return (
        found.guardrail,
        _FINDINGS.get(found.state, found.state),
        _number(found.estimate),
        between,
        _number(found.limit),
        counted(found.observations, "observation"),
        printable(found.message),
    )


def _step_row(step: dict[str, Any]) -> tuple[str, ...]:
    """`requests` and `errors` are what callers had of the new version; latencies theirs too, or in the shadow
    those of copies and of what they are copies of."""
    candidate, baseline = step["candidate"], step["baseline"]
    p99 = "p99_ms" if candidate["p99_ms"] is not None else "paired_p99_ms"
    return (
        f"{step['step']} %" if step["step"].isdigit() else str(step["step"]),
        f"{step['rows']:,}",
        f"{step['disagreements']:,}",
        f"{candidate['requests']:,}",
        f"{candidate['errors']:,}",
        _milliseconds(candidate[p99]),
        _milliseconds(baseline[p99]),
    )


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3g} ms"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
