"""MLflow's folders: `MLmodel` names the model file."""

import re

from modelport_control_api.sniff.folders.contents import Contents
from modelport_control_api.sniff.folders.examples import row_of
from modelport_control_api.sniff.folders.flavors import code_of, model_of, read_mlmodel, versions_of
from modelport_control_api.sniff.folders.found import ModelFolder

MLMODEL = "MLmodel"
# The first says of itself what it is.
EXAMPLES = ("serving_input_example.json", "input_example.json")
REQUIREMENTS = "requirements.txt"
_MLFLOW = re.compile(r"\s*mlflow(-skinny|-tracing)?\s*([=<>~!;\[]|$)")


def find(contents: Contents) -> ModelFolder | None:
    """Return what is served; None: it is no such folder. Raises UnsupportedFormat or CorruptArtifact."""
    root = contents.root_of(MLMODEL, "MLflow")
    return None if root is None else read(contents, root)


def read(contents: Contents, root: str) -> ModelFolder:
    """Return what is served of the folder at `root`, whose MLmodel is kept. Raises as `find` does."""
    flavors = read_mlmodel(contents.texts[f"{root}{MLMODEL}"])
    flavor, model, packed = model_of(flavors, contents.names, root)
    examples = (contents.texts.get(f"{root}{each}") for each in EXAMPLES)
    rows = (row_of(each) for each in examples if each is not None)
    return ModelFolder(
        kind=f"MLflow's, flavor {flavor}",
        model=model,
        row=next((row for row in rows if row is not None), None),
        requirements=_without_mlflow(contents.texts.get(f"{root}{REQUIREMENTS}")),
        versions=versions_of(flavors),
        code=code_of(flavors[flavor], contents.names, root),
        packed=packed,
    )


def _without_mlflow(content: bytes | None) -> str | None:
    """The platform reads the folder, so nothing of MLflow is needed to predict."""
    if content is None:
        return None
    lines = content.decode(errors="replace").splitlines(keepends=True)
    return "".join(line for line in lines if not _MLFLOW.match(line))
