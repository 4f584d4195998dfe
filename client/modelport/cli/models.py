"""upload, list, status, delete."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from modelport.cli import completion
from modelport.cli.options import (
    DEFAULT_URL,
    AccelerationSetting,
    AsJson,
    Code,
    EnvironmentName,
    Force,
    ModelFile,
    ModelId,
    OwnRequirements,
    Sample,
    Url,
    Wait,
    WaitSeconds,
    Yes,
    parse_sample,
    version_option,
)
from modelport.cli.output import (
    access_text,
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
from modelport.models import Model, Version

WantedTags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Of those with this tag; repeated: with all of them."),
]
ModelType = Annotated[
    str | None,
    typer.Option(
        "--type",
        help="sklearn, onnx, xgboost, lightgbm, catboost, jax, river, statsmodels, torch, transformers, "
        "autogluon, tensorflow, python or ensemble; detected when left out.",
    ),
]

Share = Annotated[
    int | None,
    typer.Option(
        "--traffic",
        min=0,
        max=100,
        metavar="PERCENT",
        help="The share of the requests that the new version of --to gets once it is ready: all of them "
        "unless given (with --replace: those that the failed one was to get), 0 to try it first.",
    ),
]
NoTraffic = Annotated[bool, typer.Option("--no-traffic", help="The same as --traffic 0.")]
Guarded = Annotated[
    bool,
    typer.Option(
        "--guarded",
        help="The new version of --to gets no requests but what a rollout gives it, which begins at once "
        "(/help/rollouts).",
    ),
]
ToModel = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="MODEL",
        help="Add a version to this model.",
        autocompletion=completion.model_ids,
    ),
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
    to: ToModel = None,
    replace: Annotated[
        str | None,
        typer.Option("--replace", metavar="VERSION", help="A failed version of --to that is removed for it."),
    ] = None,
    model_type: ModelType = None,
    environment: EnvironmentName = None,
    requirements: OwnRequirements = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    sample: Sample = None,
    reference: Reference = None,
    code: Code = None,
    acceleration: AccelerationSetting = None,
    share: Share = None,
    no_traffic: NoTraffic = False,
    force: Force = False,
    guarded: Guarded = False,
    wait: Wait = True,
    timeout: WaitSeconds = 300,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Upload a model file, as a new model or (--to) as a new version of one."""
    if to is not None and acceleration is not None:
        raise typer.BadParameter(f"--acceleration is the model's: modelport update {to} --acceleration …")
    traffic = share_of(share, no_traffic=no_traffic)
    require_to(to, traffic, force=force, guarded=guarded)
    if to is None and replace is not None:
        raise typer.BadParameter("--replace goes with --to MODEL, whose version it names.")
    with Modelport(url) as client:
        shared: dict[str, Any] = {
            "model_type": model_type,
            "environment": environment,
            "requirements": requirements,
            "sample": parse_sample(sample),
            "reference": reference,
            "code": code,
        }
        with upload_bar(file.name) as shared["on_progress"]:
            if to is None:
                texts: dict[str, Any] = {"description": description, "acceleration": acceleration}
                model = client.upload(file, name or file.stem, **texts, **shared)
            else:
                asked: dict[str, Any] = {"traffic": traffic, "force": force, "guarded": guarded}
                added = client.add_version(to, file, replaces=replace, **asked, **shared)
        if to is None:
            _note_same_name(model, file, url)
            finish_model(client, model, timeout if wait else None, as_json, url)
        else:
            finish_version(client, to, added, timeout if wait else None, as_json)
    if to is not None and guarded:
        note_rollout(to, url)


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
    show_model(model, as_json, url)


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


def share_of(share: int | None, *, no_traffic: bool) -> int | None:
    """Return the percent that were asked for, None for none of both. Raises `typer.BadParameter`."""
    if no_traffic and share:
        raise typer.BadParameter(
            f"--no-traffic and --traffic {share} contradict each other: give one of them."
        )
    return 0 if no_traffic else share


def require_to(to: str | None, traffic: int | None, *, force: bool, guarded: bool) -> None:
    """Raise `typer.BadParameter` for what a version is asked of, and there is only a new model; and for what
    contradicts a rollout.
    """
    if to is None and (force or guarded or traffic is not None):
        raise typer.BadParameter("--traffic, --no-traffic, --force and --guarded go with --to MODEL.")
    if guarded and (force or traffic):
        raise typer.BadParameter(
            "--guarded leaves the traffic to the rollout: give it without --traffic and --force."
        )


def note_rollout(model_id: str, url: str) -> None:
    """Say how to follow the rollout that the upload has begun."""
    note(f"A rollout begins: {typed(f'rollout status {model_id} --watch', url)} shows how it goes.")


def finish_model(client: Modelport, model: Model, timeout: float | None, as_json: bool, url: str) -> None:
    """Print the model that was just made; if there is a timeout in seconds, once it is ready."""
    note(f"Uploaded as {model.id}.")
    show_model(model if timeout is None else _waited(client, model, timeout), as_json, url)


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
        access_text(model.access),
        moment_text(model.created_at),
    )


def main_version(model: Model) -> str:
    """Return the name of the version that most requests go to; of a model that serves none, the newest."""
    if model.traffic:
        return max(model.traffic, key=lambda name: model.traffic[name])
    return model.versions[-1].name


def _show_version(version: Version) -> None:
    if version.engine:
        print_line(f"  engine    {version.name} {engine_text(version)}")
    if version.environment:
        print_line(f"  runs in   {version.name} {version.environment}{_own_packages(version)}")
    if version.ensemble:
        print_line(f"  made of   {version.name} {_made_of(version.ensemble)}")


def _made_of(ensemble: Mapping[str, Any]) -> str:
    members = ", ".join(f"{each['model']} {each['version']}" for each in ensemble["members"])
    final = ensemble.get("final")
    behind = f", then {final['model']} {final['version']}" if final else ""
    return f"{ensemble['join']} of {members}{behind}"


def _own_packages(version: Version) -> str:
    packages = (version.requirements or {}).get("packages", ())
    return f": {', '.join(packages)}" if packages else ""


def _show_trial(model: Model, url: str) -> None:
    """What decides on the traffic, if anything does."""
    if model.rollout is not None:
        shown = typed(f"rollout status {model.id}", url)
        print_line(f"  rollout   {model.rollout}: {shown} shows how it goes")
    if model.experiment is not None:
        shown = typed(f"experiments status {model.id}", url)
        print_line(f"  A/B test  {model.experiment}: {shown} shows how it goes")


def show_model(model: Model, as_json: bool, url: str) -> None:
    """Print the model: its state, endpoint, traffic, engines and inputs."""
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
    _show_trial(model, url)
    if model.tags:
        print_line(f"  tags      {', '.join(model.tags)}")
    for version in model.versions:
        _show_version(version)
    for column in (model.signature or {}).get("columns") or ():
        print_line(f"  input     {column['name']}: {column['kind']}{'?' if column.get('optional') else ''}")
