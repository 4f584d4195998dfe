"""An experiment in plain words."""

from modelport.cli.output import counted, print_line, print_table, printable
from modelport.evaluation.experiments import Arm, Comparison, Experiment

_STATES = {
    "starting": "waits until the versions have the traffic",
    "running": "counts",
    "decided": "decided; promote the winner, or stop it",
    "inconclusive": "inconclusive; promote a version, or stop it",
}


def show(found: Experiment) -> None:
    """Print what was found, and what each version did."""
    arms = ", ".join(f"{version} {percent} %" for version, percent in found.arms.items())
    print_line(printable(f"Experiment {found.id}, {arms}: {state_text(found)}."))
    if found.verdict:
        print_line(printable(found.verdict))
    if found.measured:
        arm_columns = ("VERSION", f"{found.unit.upper()}S", "ROWS", "MEAN", "BETWEEN")
        print_table(arm_columns, map(_arm_row, found.measured))
    if found.comparisons:
        columns = ("VERSION", "METRIC", "FINDING", "DIFFERENCE", "BETWEEN", "OF")
        print_table(columns, [_comparison_row(each, found.unit) for each in found.comparisons])
    for text in (*_taken_out(found), *_left_out(found)):
        print_line(text)


def state_text(found: Experiment) -> str:
    """Return the state in words; one that is not known as it is."""
    if found.ended_at is not None and found.promoted:
        return f"{found.state}; {found.promoted} has all traffic"
    return _STATES.get(found.state, found.state)


def _arm_row(arm: Arm) -> tuple[str, ...]:
    return (
        arm.version,
        f"{arm.units:,}",
        f"{arm.rows:,}",
        _number(arm.mean),
        _between(arm.lower, arm.upper),
    )


def _comparison_row(found: Comparison, unit: str) -> tuple[str, ...]:
    return (
        found.version,
        found.metric,
        found.state,
        _number(found.estimate),
        _between(found.lower, found.upper),
        counted(found.units, unit),
    )


def _taken_out(found: Experiment) -> list[str]:
    return [
        f"Of the difference in {each.metric} between {each.version} and {found.control}, "
        f"{100 * each.variance_reduction:.0f} % of the variance was taken out: "
        f"what {found.unit}s did before the experiment explains it."
        for each in found.comparisons
        if each.variance_reduction is not None
    ]


def _left_out(found: Experiment) -> list[str]:
    evidence = found.raw.get("evidence") or {}
    several, without = evidence.get("units_in_several") or 0, evidence.get("rows_without_unit") or 0
    lines = []
    if several:
        lines.append(f"Left out: {counted(several, found.unit)} that more than one version answered.")
    if without:
        cure = "; send X-Modelport-Session with each request" if found.unit == "session" else ""
        lines.append(f"Left out: {counted(without, 'row')} without a {found.unit}{cure}.")
    return lines


def _between(lower: float | None, upper: float | None) -> str:
    return "–" if lower is None or upper is None else f"{_number(lower)} and {_number(upper)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
