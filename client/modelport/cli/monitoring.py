"""What became of requests and rows: usage, data drift, kept predictions."""

import itertools
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from modelport.cli.models import main_version
from modelport.cli.options import DEFAULT_URL, AsJson, ModelId, Url, Yes, check_folder, version_option
from modelport.cli.output import counted, moment_text, note, print_json, print_line, print_listed, print_table
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.drift import ColumnImportance, Drift, FeatureDrift, Importance
from modelport.history import KeptPrediction
from modelport.usage import Bucket, Usage, UsageCounts

_FIGURES = ("REQUESTS", "ERRORS", "REFUSED", "CACHE HITS", "P50 MS", "P95 MS", "P99 MS")

_LONGEST_CELL = 60
_BAR_CELLS = 30
_LOOK_SECONDS = 1.0


def add_to(app: typer.Typer) -> None:
    """Register the commands `usage`, `history`, `drift` and `importance` on the app."""
    for command in (usage, history, drift, importance):
        app.command()(command)


def usage(
    model_id: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="The model's id; all of yours if left out.")
    ] = None,
    *,
    days: Annotated[float, typer.Option(min=0.01, max=90, help="How far back.")] = 7,
    bucket: Annotated[Bucket, typer.Option("--by", help="Rows of one model.")] = "day",
    timezone: Annotated[str, typer.Option(help="Where days begin at midnight, e.g. Europe/Paris.")] = "UTC",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show requests, errors, cache hits and latencies: of each model, or of one by time."""
    with Modelport(url) as client:
        found = client.usage(model_id, days=days, bucket=bucket, timezone=timezone)
    if as_json:
        print_json(found.raw)
    elif not found.totals.requests:
        note(f"No requests in the last {'day' if days == 1 else counted(days, 'day')}.")
    elif model_id is None:
        rows = [(each.name or "(no such model)", each) for each in found.parts]
        _show_usage(("MODEL", *_FIGURES), rows, found)
    else:
        rows = [(_period(each.start, bucket), each) for each in found.series]
        _show_usage(("DAY" if bucket == "day" else "TIME", *_FIGURES), rows, found)


def history(
    model_id: ModelId,
    *,
    outcome: Annotated[str | None, typer.Option(help="ok, error, or one reason, e.g. QueueFull.")] = None,
    version: Annotated[str | None, typer.Option(help="Of this version only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows, the newest first.")] = 20,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE.csv", help="Write all of them to this file.")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Forget all that was kept of the model.")] = False,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show requests to a model and its responses. Turn it on with `modelport update --history`."""
    if export is not None:
        check_folder(export)
    with Modelport(url) as client:
        if delete:
            _forget(client, model_id, yes)
        elif export is not None:
            client.export_predictions(model_id, export, outcome=outcome, version=version)
            note(f"Written to {export}.")
        else:
            found = client.predictions(model_id, outcome=outcome, version=version)
            _show_predictions(model_id, list(itertools.islice(found, limit)), url, as_json)


def drift(
    model_id: ModelId,
    *,
    version: Annotated[str | None, version_option("The one with most traffic if left out.")] = None,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="First make these rows, with a header, the reference."),
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show how a version's live inputs compare with the rows that it was trained on."""
    with Modelport(url) as client:
        chosen = version or main_version(client.model(model_id))
        if reference is not None:
            client.put_reference(model_id, chosen, reference)
            note(f"{reference.name} is the reference of {chosen} now.")
        found = client.drift(model_id, chosen)
    if as_json:
        print_json(found.raw)
    else:
        _show_drift(found, model_id, url)


def importance(
    model_id: ModelId,
    *,
    version: Annotated[str | None, version_option("The one with most traffic if left out.")] = None,
    history: Annotated[
        bool, typer.Option("--history", help="First compute it anew, of the predictions that are kept.")
    ] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait while it is being computed.")] = 120,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show which columns a version's predictions depend on: the mean absolute contribution of each."""
    with Modelport(url) as client:
        chosen = version or main_version(client.model(model_id))
        if history:
            client.versions.compute_importance(model_id, chosen)
        found = _when_computed(client, model_id, chosen, wait)
    if as_json:
        print_json(found.raw)
    else:
        _show_importance(found, model_id, url)
    if found.state == "failed":
        raise typer.Exit(1)


def _when_computed(client: Modelport, model_id: str, version: str, seconds: float) -> Importance:
    deadline = time.monotonic() + seconds
    while True:
        found = client.versions.importance(model_id, version)
        if found.state != "computing" or time.monotonic() >= deadline:
            return found
        time.sleep(_LOOK_SECONDS)


def _show_importance(found: Importance, model_id: str, url: str) -> None:
    source = {"reference": "the reference", "history": "kept predictions"}.get(found.source, found.source)
    if found.state != "ready":
        print_line(f"{found.version}: {found.state}, of {counted(found.rows, 'row')} of {source}")
        note(
            found.message or f"Look again: {typed(f'importance {model_id} --version {found.version}', url)}."
        )
        return
    print_line(
        f"{found.version}: mean absolute contribution ({found.scale}), of {counted(found.rows, 'row')} of "
        f"{source}"
    )
    print_table(
        ["COLUMN", "MEAN", "SHARE", ""], [_bar(each, found.columns[0].mean) for each in found.columns]
    )


def _bar(column: ColumnImportance, most: float) -> tuple[str, ...]:
    length = round(column.mean / most * _BAR_CELLS) if most else 0
    return (column.name, f"{column.mean:.4g}", f"{column.share:.1%}", "█" * length)


def _show_usage(columns: tuple[str, ...], rows: list[tuple[str, UsageCounts]], found: Usage) -> None:
    named = [*rows, ("all", found.totals), ("before", found.previous)]
    print_table(columns, [(Text(name), *_figures(each)) for name, each in named])


def _figures(counts: UsageCounts) -> tuple[Text, ...]:
    latencies = (counts.p50_ms, counts.p95_ms, counts.p99_ms)
    cells = [f"{counts.requests:,}", _with_rate(counts.errors, counts.error_rate), f"{counts.refused:,}"]
    cells += [_with_rate(counts.cache_hits, counts.cache_hit_rate)]
    cells += ["–" if each is None else f"{each:,.1f}" for each in latencies]
    return tuple(Text(cell, justify="right") for cell in cells)


def _with_rate(count: int, rate: float | None) -> str:
    return f"{count:,} ({rate:.1%})" if count and rate is not None else f"{count:,}"


def _period(start: datetime | None, bucket: Bucket) -> str:
    return "" if start is None else start.strftime("%Y-%m-%d" if bucket == "day" else "%Y-%m-%d %H:%M")


def _forget(client: Modelport, model_id: str, yes: bool) -> None:
    if not yes:
        typer.confirm(f"Forget all requests and answers kept of {model_id}?", abort=True, err=True)
    client.delete_predictions(model_id)
    note(f"Forgotten: what was kept of {model_id}.")


def _show_predictions(model_id: str, found: list[KeptPrediction], url: str, as_json: bool) -> None:
    columns = ("TIME", "VERSION", "STATUS", "CACHE", "MS", "REQUEST", "ANSWER")
    nothing = f"Nothing is kept. Keep one request in ten: {typed(f'update {model_id} --history 10', url)}."
    print_listed(found, columns, _prediction_row, as_json=as_json, nothing=nothing)


def _prediction_row(kept: KeptPrediction) -> tuple[str, ...]:
    return (
        moment_text(kept.at),
        kept.version,
        f"{kept.status} {kept.reason}".strip(),
        kept.cache,
        f"{kept.seconds * 1000:.1f}",
        _cell(kept.request, kept.truncated),
        _cell(kept.answer, kept.truncated),
    )


def _cell(body: Any, truncated: bool) -> str:
    if body is None:
        return "(too long)" if truncated else "–"
    written = json.dumps(body, ensure_ascii=False)
    # Untrusted text: a terminal would obey its control characters.
    text = "".join(character if character.isprintable() else "·" for character in written)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _no_reference(model_id: str, version: str, url: str) -> str:
    put = typed(f"drift {model_id} --version {version} --reference FILE.csv", url)
    return f"Live inputs are compared with the rows it was trained on, once it has them: {put}."


def _show_drift(found: Drift, model_id: str, url: str) -> None:
    print_line(f"{found.version}: {found.state}")
    note(found.message if found.state != "no_reference" else _no_reference(model_id, found.version, url))
    if any(feature.psi is not None for feature in found.features):
        columns = ["FEATURE", "DRIFTS", "PSI", "P", "EXPECTED ACCURACY", "WHAT CHANGED"]
        print_table(columns, map(_feature_row, found.features))


def _feature_row(feature: FeatureDrift) -> list[str]:
    psi, p_value = feature.psi, feature.p_value
    return [
        feature.name,
        "yes" if feature.drifts else "small" if feature.change == "small" else "",
        "" if psi is None else f"{psi:.3f}",
        "" if p_value is None else f"{p_value:.2g}",
        "" if feature.expected_change is None else f"{100 * feature.expected_change:+.1f} points",
        feature.summary,
    ]
