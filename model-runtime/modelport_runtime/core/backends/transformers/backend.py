"""From an unpacked folder to a classifier of texts, by the library's own classes alone."""

import json
from pathlib import Path
from typing import Any

from modelport_formats.errors import FormatError
from modelport_formats.frameworks.folder_files import marked_as
from modelport_formats.frameworks.transformers_files import CONFIG
from modelport_formats.packed import unpacked
from modelport_formats.signatures import Format

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.backends.model_file import ModelFile
from modelport_runtime.core.backends.transformers.library import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
)
from modelport_runtime.core.types import LoadError

_HEAD_BYTES = 64
_ARCHITECTURE = "ForSequenceClassification"


def load(file: ModelFile) -> Backend:
    """Return the backend of a classifier. See `Framework.load`. Raises `LoadError`."""
    from modelport_runtime.core.backends.transformers.texts import TextBackend

    folder = _folder(file.path)
    _check(_config(folder))
    model, tokenizer = _read(folder)
    return TextBackend(model, tokenizer, file.libraries)


def _folder(path: Path) -> Path:
    with path.open("rb") as file:
        if marked_as(file.read(_HEAD_BYTES)) is not Format.TRANSFORMERS:
            raise LoadError("UnsupportedFormat", "The file is no folder of Transformers that was uploaded.")
    folder = unpacked(path)
    if not folder.is_dir():
        raise LoadError("CorruptArtifact", "The archive of the folder was not unpacked.")
    return folder


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise LoadError("CorruptArtifact", f"The folder's {CONFIG} cannot be read: {error}.") from error
    if not isinstance(config, dict):
        raise LoadError("CorruptArtifact", f"The folder's {CONFIG} holds no object.")
    return config


def _check(config: dict[str, Any]) -> None:
    if "auto_map" in config:
        raise LoadError(
            "UnsupportedFormat",
            f"The folder's {CONFIG} names code of its own (auto_map), which is never run.",
        )
    architectures = config.get("architectures")
    if not isinstance(architectures, list) or not str(architectures[:1]).endswith(f"{_ARCHITECTURE}']"):
        raise LoadError("UnsupportedFormat", f"The folder's {CONFIG} names no …{_ARCHITECTURE}.")


def _read(folder: Path) -> tuple[Any, Any]:
    own = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, **own)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, output_loading_info=True, **own
        )
    except (MemoryError, LoadError, FormatError):
        raise
    except Exception as error:  # what the libraries raise over a file is of every type
        reason = next(iter(f"{type(error).__name__}: {error}".splitlines()))
        raise LoadError("CorruptArtifact", f"Transformers cannot read the folder: {reason[:300]}") from error
    if missing := sorted(map(str, report["missing_keys"])):
        # They would be drawn by chance, with a warning.
        raise LoadError(
            "CorruptArtifact",
            f"The folder's weights lack {', '.join(missing[:5])}: save the whole model, after training its "
            "classifier, with model.save_pretrained(folder).",
        )
    return model.eval(), tokenizer
