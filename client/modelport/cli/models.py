"""upload, list, status, delete."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from modelport.cli import completion
from modelport.cli.options import (
    DEFAULT_URL,
    AsJson,
    ModelFile,
    ModelId,
    Url,
    WaitSeconds,
    Yes,
    version_option,
)
from modelport.cli.output import (
    engine_text,
    moment_text,
    note,
    print_json,
    print_line,
    print_table,
    status_text,
    traffic_text,
)
from modelport.cli.progress import upload_bar, waiting_spinner
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.models import Acceleration, Model, Version

Sample = Annotated[
    str | None, typer.Option(help="A row as JSON, e.g. '{\"x\": 1}': the model must predict it to be served.")
]
AccelerationSetting = Annotated[
    Acceleration | None,
    typer.Option(help="auto: NumPy kernels predict where they were proven to equal the model; off: never."),
]
ModelType = Annotated[
    str | None, typer.Option("--type", help="sklearn, onnx, xgboost or lightgbm; detected when left out.")
]

Reference = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="The rows it was trained on: live inputs are compared with them."),
]


def add_to(app: typer.Typer) -> None:
    """Register `upload`, `list`, `status` and `delete` on the app."""
    app.command()(upload)
    app.command("list")(list_models)
    app.command()(status)
    app.command()(delete)


def upload(
    file: ModelFile,
    *,
    name: Annotated[str | None, typer.Option(help="Display name; the file's own if left out.")] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="MODEL",
            help="Add a version to this model.",
            autocompletion=completion.model_ids,
        ),
    ] = None,
    replace: Annotated[
        str | None,
        typer.Option("--replace", metavar="VERSION", help="A failed version of --to that is removed for it."),
    ] = None,
    model_type: ModelType = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    sample: Sample = None,
    reference: Reference = None,
    acceleration: AccelerationSetting = None,
    move_traffic: Annotated[
        bool, typer.Option("--traffic/--no-traffic", help="Send requests to the new version of --to.")
    ] = True,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is ready.")] = True,
    timeout: WaitSeconds = 300,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload a model file, as a new model or (--to) as a new version of one."""
    if to is not None and acceleration is not None:
        raise typer.BadParameter(f"--acceleration is the model's: modelport update {to} --acceleration …")
    if to is None and replace is not None:
        raise typer.BadParameter("--replace goes with --to MODEL, whose version it names.")
    with Modelport(url) as client, upload_bar(file.name) as on_progress:
        shared: dict[str, Any] = {
            "model_type": model_type,
            "sample": parse_sample(sample),
            "reference": reference,
            "on_progress": on_progress,
        }
        if to is None:
            texts: dict[str, Any] = {"description": description, "acceleration": acceleration}
            model = client.upload(file, name or file.stem, **texts, **shared)
        else:
            added = client.add_version(to, file, move_traffic=move_traffic, replaces=replace, **shared)
    with Modelport(url) as client:
        if to is None:
            _note_same_name(model, file, url)
            _finish_model(client, model, timeout if wait else None, as_json)
        else:
            finish_version(client, to, added, timeout if wait else None, as_json)


def list_models(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show your models."""
    with Modelport(url) as client:
        found = client.models()
    if as_json:
        print_json([model.raw for model in found])
    elif not found:
        note(f"No models yet: {typed('upload FILE', url)} makes one.")
    else:
        columns = ("ID", "NAME", "STATUS", "FRAMEWORK", "TRAFFIC", "CREATED")
        print_table(columns, map(_row, found))


def status(
    model_id: ModelId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is ready or failed.")] = False,
    timeout: WaitSeconds = 300,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show one model: what it does, and why it is as it is."""
    with Modelport(url) as client:
        model = client.model(model_id)
        if wait:
            model = _waited(client, model, timeout)
    show_model(model, as_json)


def delete(
    model_id: ModelId,
    version: Annotated[str | None, version_option("Only this version.")] = None,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Stop serving a model and remove its files."""
    what = model_id if version is None else f"{version} of {model_id}"
    if not yes:
        typer.confirm(f"Delete {what}? Its endpoint stops answering at once.", abort=True, err=True)
    with Modelport(url) as client:
        if version is None:
            client.delete(model_id)
        else:
            client.delete_version(model_id, version)
    note(f"Deleted {what}.")
    if as_json:
        print_json({"model": model_id, "version": version})


def parse_sample(text: str | None) -> Any:
    """Return the row of `--sample`, None without one. Raises `typer.BadParameter` for what is no JSON."""
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--sample is not JSON: {error}") from error


def _finish_model(client: Modelport, model: Model, timeout: float | None, as_json: bool) -> None:
    note(f"Uploaded as {model.id}.")
    show_model(model if timeout is None else _waited(client, model, timeout), as_json)


def _waited(client: Modelport, model: Model, timeout: float) -> Model:
    with waiting_spinner() as on_status:
        return client.wait_for_model(model.id, seconds=timeout, on_status=on_status)


def _note_same_name(model: Model, file: Path, url: str) -> None:
    for other in model.raw.get("same_name") or ():
        version = typed(f"upload {file} --to {other['id']}", url)
        removal = typed(f"delete {other['id']}", url)
        note(
            f"You have another model of this name, {other['id']} ({other['status']}): {version} makes a file "
            f"its next version, {removal} removes it."
        )


def finish_version(
    client: Modelport, model_id: str, version: Version, timeout: float | None, as_json: bool
) -> None:
    """Print the version that was just made; if there is a timeout in seconds, once it is ready."""
    note(f"Uploaded as {version.name} of {model_id}.")
    if timeout is not None:
        with waiting_spinner() as on_status:
            version = client.wait_for_version(model_id, version.name, seconds=timeout, on_status=on_status)
    if as_json:
        print_json(version.raw)
    else:
        print_line(f"{version.name} is {version.status}: {version.message}")


def _row(model: Model) -> tuple[Any, ...]:
    return (
        model.id,
        model.name,
        status_text(model.status),
        model.framework,
        traffic_text(dict(model.traffic)),
        moment_text(model.created_at),
    )


def show_model(model: Model, as_json: bool) -> None:
    """Print the model: its state, endpoint, traffic, engines and inputs."""
    if as_json:
        print_json(model.raw)
        return
    print_line(f"{model.name} ({model.id}) is {model.status}: {model.reason}")
    if model.message:
        print_line(f"  {model.message}")
    print_line(f"  endpoint  {model.predict_url}")
    print_line(f"  traffic   {traffic_text(dict(model.traffic))}")
    for version in model.versions:
        if version.engine:
            print_line(f"  engine    {version.name} {engine_text(version)}")
    for column in (model.signature or {}).get("columns") or ():
        print_line(f"  input     {column['name']}: {column['kind']}{'?' if column.get('optional') else ''}")
