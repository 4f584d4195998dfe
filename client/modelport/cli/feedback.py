"""feedback: what turned out to be true of a model's predictions. quality: how good they were."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from modelport.cli.models import main_version
from modelport.cli.options import DEFAULT_URL, AsJson, ModelId, Url, version_option
from modelport.cli.output import counted, note, print_json, print_line, print_table
from modelport.cli.progress import upload_bar
from modelport.client import Modelport
from modelport.evaluation.feedback import FeedbackReport, Metric, QualityPart, VersionQuality
from modelport.usage import Bucket

# The longest that may be asked for, but of days, of which a month is enough to begin with.
_DAYS: dict[Bucket, float] = {"minute": 0.25, "hour": 14, "day": 30}


def add_to(app: typer.Typer) -> None:
    """Register `feedback` and `quality` on the app."""
    for command in (feedback, quality):
        app.command()(command)


def feedback(
    model_id: ModelId,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="CSV (first line: request_id, row, label, reward, at), or .jsonl with an item a line.",
        ),
    ],
    *,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Tell what turned out to be true. Turn it on with `modelport update --feedback 100`.

    To tell the same again changes nothing; a later `at` is a correction.
    """
    with Modelport(url) as client, upload_bar(file.name) as on_progress:
        report = client.feedback.send(model_id, file, on_progress=on_progress)
    if as_json:
        errors = [{"item": each.item, "message": each.message} for each in report.errors]
        print_json({"accepted": report.accepted, "rejected": report.rejected, "errors": errors})
    else:
        _show(report)
    if report.rejected:
        raise typer.Exit(1)


def _show(report: FeedbackReport) -> None:
    print_line(f"{counted(report.accepted, 'item')} accepted, {report.rejected} rejected.")
    for each in report.errors:
        note(f"line {each.item}: {each.message}")
    if report.rejected > len(report.errors):
        note(f"… and {report.rejected - len(report.errors)} more.")


def quality(
    model_id: ModelId,
    *,
    days: Annotated[
        float | None,
        typer.Option(min=0.01, max=90, help="How far back predictions lie; 30, by hour 14, by minute 0.25."),
    ] = None,
    bucket: Annotated[Bucket | None, typer.Option("--by", help="Also the figures of each of these.")] = None,
    timezone: Annotated[str, typer.Option(help="Where days begin at midnight, e.g. Europe/Paris.")] = "UTC",
    version: Annotated[str | None, version_option("All if left out.")] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="First calibrate the version by these rows with probabilities and their truth.",
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="The column of FILE that has the truth.")] = "label",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show how good predictions were, of those whose truth is known, and what is expected of the others."""
    with Modelport(url) as client:
        if calibration is not None:
            chosen = version or main_version(client.model(model_id))
            rows = client.quality.calibrate(model_id, chosen, calibration, label=label)
            note(f"{chosen} is calibrated by {counted(rows, 'row')} of {calibration.name}.")
        size = bucket or "day"
        found = client.quality(
            model_id, days=days or _DAYS[size], bucket=size, timezone=timezone, version=version
        )
    if as_json:
        print_json(found.raw)
        return
    if found.message:
        note(found.message)
    for each in found.versions:
        _show_quality(each, bucket)


def _show_quality(found: VersionQuality, bucket: Bucket | None) -> None:
    predictions = counted(found.whole.predictions, "prediction")
    print_line(f"{found.version}: labels of {found.whole.labels:,} of {predictions}")
    parts = [found.whole, *(found.series if bucket else ())]
    rows = [row for part in parts for row in _metric_rows(part)]
    if rows:
        print_table(["TIME", "METRIC", "VALUE", "95 %", "ROWS"], rows)


def _metric_rows(part: QualityPart) -> Iterator[tuple[str, ...]]:
    time = "all" if part.start is None else part.start.strftime("%Y-%m-%d %H:%M")
    named = [*part.metrics.items(), *((f"{name} (expected)", each) for name, each in part.expected.items())]
    for name, metric in named:
        yield time, name, f"{metric.value:.4g}", _interval(metric), f"{metric.rows:,}"


def _interval(metric: Metric) -> str:
    if metric.lower is None or metric.upper is None:
        return "–"
    return f"{metric.lower:.4g} to {metric.upper:.4g}"
