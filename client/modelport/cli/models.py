"""upload, list, status, update, logs, delete."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, Force, ModelFile, ModelId, Url, WaitSeconds, Yes
from modelport.cli.output import (
    access_text,
    engine_text,
    moment_text,
    note,
    print_json,
    print_line,
    print_table,
    readable,
    status_text,
    traffic_text,
)
from modelport.cli.progress import upload_bar, waiting_spinner
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.errors import SignatureChanged
from modelport.models import Acceleration, Access, Model, Version

Sample = Annotated[
    str | None, typer.Option(help="A row as JSON, e.g. '{\"x\": 1}': the model must predict it to be served.")
]
AccelerationSetting = Annotated[
    Acceleration | None,
    typer.Option(help="auto: NumPy kernels predict where they were proven to equal the model; off: never."),
]
StickySetting = Annotated[
    Literal["caller", "session", "off"] | None,
    typer.Option(
        help="What stays on one version of a traffic split. session: requests with the same --session; "
        "caller: such sessions, and each caller without one; off: nothing, each request is drawn by the "
        "weights."
    ),
]
TagSetting = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="All tags that it shall have; may be repeated."),
]
WantedTags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Of those with this tag; repeated: with all of them."),
]
HistoryShare = Annotated[
    str | None,
    typer.Option(metavar="PERCENT|off", help="The share of requests to keep with their answers, or off."),
]
ModelType = Annotated[
    str | None, typer.Option("--type", help="sklearn, onnx, xgboost or lightgbm; detected when left out.")
]

Share = Annotated[
    int | None,
    typer.Option(
        "--traffic",
        min=0,
        max=100,
        metavar="PERCENT",
        help="The share of the requests that the new version of --to gets once it is ready: all of them "
        "unless given, 0 to try it first.",
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option(metavar="FILE.csv", help="The rows it was trained on: live inputs are compared with them."),
]


def add_to(app: typer.Typer) -> None:
    """Register `upload`, `list`, `status`, `update`, `logs` and `delete` on the app."""
    app.command()(upload)
    app.command("list")(list_models)
    app.command()(status)
    app.command()(update)
    app.command()(logs)
    app.command()(delete)


def upload(
    file: ModelFile,
    *,
    name: Annotated[str | None, typer.Option(help="Display name; the file's own if left out.")] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="MODEL", help="Add a version to this model.")
    ] = None,
    model_type: ModelType = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    sample: Sample = None,
    reference: Reference = None,
    acceleration: AccelerationSetting = None,
    share: Share = None,
    no_traffic: Annotated[bool, typer.Option("--no-traffic", help="The same as --traffic 0.")] = False,
    force: Force = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is ready.")] = True,
    timeout: WaitSeconds = 300,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload a model file, as a new model or (--to) as a new version of one."""
    if to is not None and acceleration is not None:
        raise typer.BadParameter(f"--acceleration is the model's: modelport update {to} --acceleration …")
    traffic = share_of(share, no_traffic=no_traffic)
    if to is None and (force or traffic is not None):
        raise typer.BadParameter("--traffic, --no-traffic and --force go with --to MODEL.")
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
            added = client.add_version(
                to, file, traffic=100 if traffic is None else traffic, force=force, **shared
            )
    with Modelport(url) as client:
        if to is None:
            _finish_model(client, model, timeout if wait else None, as_json)
        else:
            _finish_version(client, to, added, timeout if wait else None, as_json)


def list_models(tag: WantedTags = None, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show your models."""
    with Modelport(url) as client:
        found = client.models.list(tags=tag or ())
    if as_json:
        print_json([model.raw for model in found])
    elif tag and not found:
        note(f"No model has the tags: {', '.join(tag)}.")
    elif not found:
        note(f"No models yet: {typed('upload FILE', url)} makes one.")
    else:
        columns = ("ID", "NAME", "STATUS", "FRAMEWORK", "TRAFFIC", "ACCESS", "CREATED")
        # Of those who use none a table is as it was.
        shows_tags = any(model.tags for model in found)
        rows = [(*_row(model), ", ".join(model.tags)) if shows_tags else _row(model) for model in found]
        print_table((*columns, "TAGS") if shows_tags else columns, rows)


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
    _show(model, as_json)


def update(
    model_id: ModelId,
    *,
    name: Annotated[str | None, typer.Option(help="Display name.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    access: Annotated[
        Access | None,
        typer.Option(
            help="Who may predict: the owner, all with a credential, or everyone (asks first, unless --yes)."
        ),
    ] = None,
    acceleration: AccelerationSetting = None,
    sticky: StickySetting = None,
    tag: TagSetting = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")] = False,
    history: HistoryShare = None,
    retention_days: Annotated[
        int | None, typer.Option(min=1, max=365, help="Days that --history keeps them; 30 unless given.")
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="A field whose values --history never keeps; may be repeated."),
    ] = None,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Change a model's settings. It serves as before until the change is in force."""
    changes: dict[str, Any] = {
        "name": name,
        "description": description,
        "access": access,
        "acceleration": acceleration,
        "sticky": sticky,
        "tags": tags_setting(tag, no_tags=no_tags),
        "history": history_setting(history, retention_days, redact),
    }
    if not any(value is not None for value in changes.values()):
        raise typer.BadParameter("say what to change, for example --acceleration off.")
    with Modelport(url) as client:
        if access == "public" and not yes:
            _confirm_public(client.model(model_id))
        _show(client.update(model_id, **changes), as_json)


def _confirm_public(model: Model) -> None:
    """Only where it is not public yet."""
    if model.access != "public":
        question = (
            f"Everyone who knows its address could call {model.name}, without an account or a key. Go on?"
        )
        typer.confirm(question, abort=True, err=True)


def logs(
    model_id: ModelId,
    version: Annotated[str | None, typer.Option(help="Which version; the newest if left out.")] = None,
    tail: Annotated[int, typer.Option(min=1, help="Lines, from the end.")] = 200,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show what the model's code printed, and its traces."""
    with Modelport(url) as client:
        version = version or client.versions(model_id)[-1].name
        text = client.logs(model_id, version, tail=tail)
    if as_json:
        print_json({"model": model_id, "version": version, "lines": text.splitlines()})
    else:
        print_line(readable(text))


def delete(
    model_id: ModelId,
    version: Annotated[str | None, typer.Option(help="Only this version.")] = None,
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


def tags_setting(given: list[str] | None, *, no_tags: bool) -> list[str] | None:
    """Return what `Modelport.update` takes as `tags`; None: they stay. Raises `typer.BadParameter`."""
    if no_tags and given:
        raise typer.BadParameter("--no-tags removes all: leave --tag out.")
    return [] if no_tags else given or None


def history_setting(share: str | None, days: int | None, redact: list[str] | None) -> Any:
    """Return what `Modelport.update` takes as `history`. Raises `typer.BadParameter`."""
    if share is None:
        if days is not None or redact:
            raise typer.BadParameter("--retention-days and --redact go with --history PERCENT.")
        return None
    if share == "off":
        return share
    if not share.isdecimal():
        raise typer.BadParameter(f"{share!r}: write a share from 1 to 100, or off.")
    setting: dict[str, Any] = {"percent": int(share), "redact_fields": redact or []}
    return setting if days is None else {**setting, "retention_days": days}


def share_of(share: int | None, *, no_traffic: bool) -> int | None:
    """Return the percent that were asked for, None for none of both. Raises `typer.BadParameter`."""
    if no_traffic and share:
        raise typer.BadParameter(
            f"--no-traffic and --traffic {share} contradict each other: give one of them."
        )
    return 0 if no_traffic else share


def parse_sample(text: str | None) -> Any:
    """Return the row of `--sample`, None without one. Raises `typer.BadParameter` for what is no JSON."""
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--sample is not JSON: {error}") from error


def _finish_model(client: Modelport, model: Model, timeout: float | None, as_json: bool) -> None:
    note(f"Uploaded as {model.id}.")
    _show(model if timeout is None else _waited(client, model, timeout), as_json)


def _waited(client: Modelport, model: Model, timeout: float) -> Model:
    with waiting_spinner() as on_status:
        return client.wait_for_model(model.id, seconds=timeout, on_status=on_status)


def _finish_version(
    client: Modelport, model_id: str, version: Version, timeout: float | None, as_json: bool
) -> None:
    note(f"Uploaded as {version.name} of {model_id}.")
    if timeout is not None:
        version = _waited_version(client, model_id, version, timeout, as_json)
    if as_json:
        print_json(version.raw)
    else:
        print_line(f"{version.name} is {version.status}: {version.message}")


def _waited_version(
    client: Modelport, model_id: str, version: Version, timeout: float, as_json: bool
) -> Version:
    """Raises SignatureChanged, once the version that is held is printed for a script."""
    try:
        with waiting_spinner() as on_status:
            return client.wait_for_version(model_id, version.name, seconds=timeout, on_status=on_status)
    except SignatureChanged as error:
        if as_json and error.held is not None:
            print_json(error.held.raw)
        raise


def _row(model: Model) -> tuple[Any, ...]:
    return (
        model.id,
        model.name,
        status_text(model.status),
        model.framework,
        traffic_text(dict(model.traffic)),
        access_text(model.access),
        moment_text(model.created_at),
    )


def _show(model: Model, as_json: bool) -> None:
    if as_json:
        print_json(model.raw)
        return
    print_line(f"{model.name} ({model.id}) is {model.status}: {model.reason}")
    if model.message:
        print_line(f"  {model.message}")
    print_line(f"  endpoint  {model.predict_url}")
    if model.access == "public":
        print_line("  access    public: everyone may call it, without a key")
    print_line(f"  traffic   {traffic_text(dict(model.traffic))}")
    if model.tags:
        print_line(f"  tags      {', '.join(model.tags)}")
    for version in model.versions:
        if version.engine:
            print_line(f"  engine    {version.name} {engine_text(version)}")
    for column in (model.signature or {}).get("columns") or ():
        print_line(f"  input     {column['name']}: {column['kind']}{'?' if column.get('optional') else ''}")
