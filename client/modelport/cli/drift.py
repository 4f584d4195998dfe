"""drift: how live inputs compare with the reference."""

from pathlib import Path
from typing import Annotated

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, ModelId, Url, version_option
from modelport.cli.output import note, print_json, print_line, print_table
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.drift import Drift, FeatureDrift
from modelport.models import Model


def add_to(app: typer.Typer) -> None:
    """Register `drift` on the app."""
    app.command()(drift)


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
        _show(found, model_id, url)


def main_version(model: Model) -> str:
    """Return the name of the version that most requests go to; of a model that serves none, the newest."""
    if model.traffic:
        return max(model.traffic, key=lambda name: model.traffic[name])
    return model.versions[-1].name


def _no_reference(model_id: str, version: str, url: str) -> str:
    put = typed(f"drift {model_id} --version {version} --reference FILE.csv", url)
    return f"Live inputs are compared with the rows it was trained on, once it has them: {put}."


def _show(found: Drift, model_id: str, url: str) -> None:
    print_line(f"{found.version}: {found.state}")
    note(found.message if found.state != "no_reference" else _no_reference(model_id, found.version, url))
    if any(feature.psi is not None for feature in found.features):
        print_table(["FEATURE", "DRIFTS", "PSI", "P", "WHAT CHANGED"], map(_line, found.features))


def _line(feature: FeatureDrift) -> list[str]:
    psi, p_value = feature.psi, feature.p_value
    return [
        feature.name,
        "yes" if feature.drifts else "small" if feature.change == "small" else "",
        "" if psi is None else f"{psi:.3f}",
        "" if p_value is None else f"{p_value:.2g}",
        feature.summary,
    ]
