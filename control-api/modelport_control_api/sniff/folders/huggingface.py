"""Folders of the Hugging Face Hub: `config.json` says what they hold. skops writes those of scikit-learn."""

import re
from collections.abc import Mapping
from typing import Any

from modelport_control_api.sniff.errors import CorruptArtifact
from modelport_control_api.sniff.folders import transformers
from modelport_control_api.sniff.folders.contents import Contents, is_own_code
from modelport_control_api.sniff.folders.examples import first_row
from modelport_control_api.sniff.folders.found import ModelFolder

CONFIG = "config.json"
# As conda writes a version.
_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)==?(\d[\w.+!-]*)")
_MAX_REQUIREMENTS = 200


def find(contents: Contents) -> ModelFolder | None:
    """Return what is served; None: it is no such folder. Raises UnsupportedFormat or CorruptArtifact."""
    if is_own_code(contents):
        return None
    root = contents.root_of(CONFIG, "Hugging Face")
    return None if root is None else read(contents, root)


def read(contents: Contents, root: str) -> ModelFolder | None:
    """Return what is served of the folder at `root`, whose config is kept. Raises as `find` does."""
    config = contents.json(f"{root}{CONFIG}")
    match config:
        case {"sklearn": {"model": {"file": str(name)}}}:
            return _of_skops(contents, f"{root}{name}", config["sklearn"])
        case {"architectures": [str(), *_]} | {"auto_map": _}:
            return transformers.read(contents, root, config)
    return None


def _of_skops(contents: Contents, model: str, said: Mapping[str, Any]) -> ModelFolder:
    if model not in contents.names:
        raise CorruptArtifact(
            f"The folder's {CONFIG} names the model {model[-100:]!r}, which the archive does not hold. "
            "Download the repository with its files, and pack the folder again."
        )
    pinned = dict(_pinned(said.get("environment")))
    version = pinned.get("scikit-learn")
    return ModelFolder(
        kind="Hugging Face's, of scikit-learn",
        model=model,
        row=first_row(said.get("example_input")),
        requirements="".join(f"{name}=={each}\n" for name, each in pinned.items()) or None,
        versions={"scikit-learn": version} if version else {},
    )


def _pinned(environment: Any) -> list[tuple[str, str]]:
    """Return what of the folder's environment has a version: skops names a release of each library."""
    listed = environment[:_MAX_REQUIREMENTS] if isinstance(environment, list) else []
    found = [_PINNED.fullmatch(each) for each in listed if isinstance(each, str)]
    return [(match[1].lower(), match[2]) for match in found if match]
