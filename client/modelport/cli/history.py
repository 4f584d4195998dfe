"""history: requests to a model and its responses."""

import itertools
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, ModelId, Url, Yes, check_folder
from modelport.cli.output import moment_text, note, print_json, print_table
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.history import KeptPrediction

_LONGEST_CELL = 60


def add_to(app: typer.Typer) -> None:
    """Register `history` on the app."""
    app.command()(history)


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
            _delete(client, model_id, yes)
        elif export is not None:
            client.export_predictions(model_id, export, outcome=outcome, version=version)
            note(f"Written to {export}.")
        else:
            found = client.predictions(model_id, outcome=outcome, version=version)
            _show(model_id, list(itertools.islice(found, limit)), url, as_json)


def _delete(client: Modelport, model_id: str, yes: bool) -> None:
    if not yes:
        typer.confirm(f"Forget all requests and answers kept of {model_id}?", abort=True, err=True)
    client.delete_predictions(model_id)
    note(f"Forgotten: what was kept of {model_id}.")


def _show(model_id: str, found: list[KeptPrediction], url: str, as_json: bool) -> None:
    if as_json:
        print_json([each.raw for each in found])
    elif not found:
        note(f"Nothing is kept. Keep one request in ten: {typed(f'update {model_id} --history 10', url)}.")
    else:
        columns = ("TIME", "VERSION", "STATUS", "CACHE", "MS", "REQUEST", "ANSWER")
        print_table(columns, map(_row, found))


def _row(kept: KeptPrediction) -> tuple[str, ...]:
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
