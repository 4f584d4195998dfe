"""download, retry: a version's file, saved again or tried again."""

from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from modelport.cli.models import finish_version, main_version
from modelport.cli.options import (
    DEFAULT_URL,
    AsJson,
    EnvironmentName,
    ModelId,
    Sample,
    Url,
    Wait,
    WaitSeconds,
    check_folder,
    parse_sample,
    version_option,
)
from modelport.cli.output import counted, note, print_json
from modelport.client import Modelport
from modelport.errors import ModelportError
from modelport.models import Model


def add_to(app: typer.Typer) -> None:
    """Register `download` and `retry` on the app."""
    app.command()(download)
    app.command()(retry)


def download(
    model_id: ModelId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the file goes.")],
    *,
    version: Annotated[str | None, version_option("The one with most traffic if left out.")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Save a version's model file as it was uploaded, and compare its digest.

    Load it only if you trust who uploaded it: a pickle can run anything.
    """
    check_folder(output)
    with Modelport(url) as client:
        chosen = version or main_version(client.model(model_id))
        wanted = client.version(model_id, chosen).sha256
        client.versions.download(model_id, chosen, output)
    found = _digest_of(output)
    if wanted and found != wanted:
        raise ModelportError(f"{output} has the sha256 {found}, not {wanted}: it was changed on the way.")
    size = output.stat().st_size
    note(f"{output} is the file of {chosen}: {counted(size, 'byte')}, sha256 {found}.")
    if as_json:
        shown = {"model": model_id, "version": chosen, "file": str(output), "size": size, "sha256": found}
        print_json(shown)


def retry(
    model_id: ModelId,
    *,
    version: Annotated[
        str | None, version_option("Which version; the newest that failed if left out.")
    ] = None,
    sample: Sample = None,
    environment: EnvironmentName = None,
    wait: Wait = True,
    timeout: WaitSeconds = 300,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Try the file of a failed version again, as a new version in its place."""
    row = parse_sample(sample)
    with Modelport(url) as client:
        chosen = version or _newest_failed(client.model(model_id))
        added = client.versions.retry(model_id, chosen, sample=row, environment=environment)
        finish_version(client, model_id, added, timeout if wait else None, as_json)


def _newest_failed(model: Model) -> str:
    if model.newest_failed is None:
        raise ModelportError(f"No version of {model.id} has failed, so there is nothing to try again.")
    return model.newest_failed


def _digest_of(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
