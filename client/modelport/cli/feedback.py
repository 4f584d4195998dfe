"""feedback: what turned out to be true of a model's predictions."""

from pathlib import Path
from typing import Annotated

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, ModelId, Url
from modelport.cli.output import counted, note, print_json, print_line
from modelport.cli.progress import upload_bar
from modelport.client import Modelport
from modelport.feedback import FeedbackReport


def add_to(app: typer.Typer) -> None:
    """Register `feedback` on the app."""
    app.command()(feedback)


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
