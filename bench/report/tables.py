"""The tables of bench/README.md, from the results."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from bench.predictions.groups import MODELS_LIST, OPEN_RATE, STANDALONE
from bench.report.goals import goals
from bench.results import Figure, Results

README = Path(__file__).parents[1] / "README.md"
_BEGIN, _END = "<!-- results -->", "<!-- end -->"
_TITLES = {
    "iris": "iris: scaler and logistic regression, fitted on a DataFrame",
    "forest": "breast cancer: forest of 100 trees",
    "boosting": "breast cancer: HistGradientBoosting",
    "mixed": "wine: imputers, scaler, one-hot encoder, logistic regression; words and missing values",
    "torch MLP": "PyTorch: layers of 64, 64 and 3 on 20 numbers",
    "keras MLP": "Keras: layers of 64, 64 and 3 on 20 numbers",
    "transformers text": "Transformers: a tiny BERT for texts of some words",
    "autogluon table": "AutoGluon: trees on seven columns",
}

_NAIVE = "naive FastAPI"
_BY_MODEL = {
    "peers": "Beside other servers",
    "runtime": "Runtime alone",
    "environments": "Runtime of an environment",
    "networks": "Small networks",
    "folders": "Models in folders",
}


def write(results: Results) -> None:
    head, rest = README.read_text().split(_BEGIN)
    tail = rest.split(_END)[1]
    README.write_text(f"{head}{_BEGIN}\n{_body(results)}\n{_END}{tail}")


def _body(results: Results) -> str:
    parts = [
        "![Requests a second of each server on one core](results.svg)",
        _measured_by(results),
        _goals(results),
    ]
    for group, title in _BY_MODEL.items():
        parts += _by_model(results, group, title)
    parts += [_gateway(results), _standalone(results), _facts(results)]
    return "\n\n".join(part for part in parts if part)


def _measured_by(results: Results) -> str:
    descriptions = {
        when: [group for group in results.when if results.when[group] == when]
        for when in results.when.values()
    }
    return "\n".join(f"- {', '.join(groups)}: {when}." for when, groups in descriptions.items())


def _goals(results: Results) -> str:
    lines = ["## Goals", "", "| path | goal | measured | met |", "|---|---:|---:|---|"]
    for goal in goals(results):
        lines.append(f"| {goal.path} | {goal.goal} | {goal.text} | {'yes' if goal.met else 'no'} |")
    return "\n".join(lines)


def _by_model(results: Results, group: str, title: str) -> Iterable[str]:
    figures = results.of(group)
    if figures:
        yield f"## {title}"
    for model, name in _TITLES.items():
        tables = [figure for figure in figures if figure.model == model]
        tables.sort(key=lambda figure: (figure.rows, figure.connections))
        for (rows, connections), each in groupby(tables, lambda figure: (figure.rows, figure.connections)):
            yield _table(f"{name}; {_count(rows, 'row')}, {_count(connections, 'connection')}", list(each))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _table(title: str, figures: list[Figure]) -> str:
    """`× naive` where the naive server is among them."""
    base = next((figure.rate for figure in figures if figure.path.startswith(_NAIVE)), None)
    lines = [
        f"**{title}**",
        "",
        "| path | requests/s | × naive | p50 ms | p99 ms | CPU µs a request | PSS MiB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for figure in figures:
        ratio = f"{figure.rate / base:.2f}" if base else ""
        cells = (
            f"{figure.rate:,.0f}",
            ratio,
            f"{figure.p50_ms:.2f}",
            f"{figure.p99_ms:.2f}",
            f"{figure.cpu_us:,.0f}" if figure.cpu_us is not None else "",
            f"{figure.pss_mib:.0f}" if figure.pss_mib is not None else "",
        )
        lines.append(f"| {figure.path} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _gateway(results: Results) -> str:
    parts = ["## Gateway"] if results.of("gateway") else []
    for group in ("gateway", "together"):
        figures = sorted(results.of(group), key=lambda figure: figure.connections)
        for (connections, model), each in groupby(figures, lambda figure: (figure.connections, figure.model)):
            load = _count(connections, "connection") if connections else f"open loop, {OPEN_RATE}/s"
            where = "alone" if group == "gateway" else f"and the runtime of {model} on one core"
            parts.append(_table(f"gateway {where}; {load}", list(each)))
    return "\n\n".join(parts)


def _standalone(results: Results) -> str:
    figures = results.of("standalone")
    if not figures:
        return ""
    parts = ["## Standalone"]
    for connections, each in groupby(figures, lambda figure: figure.connections):
        parts.append(_table(f"`modelport up`; {_count(connections, 'connection')}", list(each)))
    return "\n\n".join([*parts, _people(results)])


def _people(results: Results) -> str:
    lines = [
        "**100 users, a call a second each, no errors**",
        "",
        "| | p95 ms | target |",
        "|---|---:|---:|",
    ]
    targets = [
        ("standalone", f"100 users, p95 ms: {STANDALONE}", STANDALONE, 200),
        ("standalone", f"100 users, p95 ms: {MODELS_LIST}", MODELS_LIST, 200),
        ("database", "a page of 50 models in one transaction, p95 ms", "database, a page of 50 models", 50),
    ]
    for group, fact, title, target in targets:
        value = results.facts.get(group, {}).get(fact)
        if isinstance(value, int | float):
            lines.append(f"| {title} | {value:.1f} | < {target} |")
    return "\n".join(lines)


def _facts(results: Results) -> str:
    lines = ["## Memory, start, usage and equality", "", "| | |", "|---|---:|"]
    for group in ("memory", "uploads", "usage", "equality"):
        for name, value in results.facts.get(group, {}).items():
            lines.append(f"| {name} | {value if isinstance(value, str) else f'{value:.3g}'} |")
    return "\n".join(lines) if len(lines) > 4 else ""
