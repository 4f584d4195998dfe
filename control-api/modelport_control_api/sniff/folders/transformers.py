"""Folders of Transformers: which of their files are served, and why a folder is not."""

import re
from collections.abc import Mapping
from typing import Any

from modelport_formats.frameworks.transformers_files import CONFIG, TOKENIZER
from modelport_formats.signatures import Format

from modelport_control_api.sniff.errors import CorruptArtifact, UnsupportedFormat
from modelport_control_api.sniff.folders.contents import Contents
from modelport_control_api.sniff.folders.found import ModelFolder

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_OF_TOKENIZERS = ("tokenizer_config.json", "special_tokens_map.json")
KEPT = (INDEX, *_OF_TOKENIZERS)
_ARCHITECTURE = "ForSequenceClassification"
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack")
_SAVED_AGAIN = (
    "Save the folder again with weights in safetensors:\n"
    "model = AutoModelForSequenceClassification.from_pretrained(folder)\n"
    "model.save_pretrained(other)\n"
    "AutoTokenizer.from_pretrained(folder).save_pretrained(other)"
)


def read(contents: Contents, root: str, config: Mapping[str, Any]) -> ModelFolder:
    """Return what is served of the folder at `root`. Raises UnsupportedFormat or CorruptArtifact."""
    _refuse_code(contents, root, config)
    architecture = str(config["architectures"][0])
    if not architecture.endswith(_ARCHITECTURE):
        raise UnsupportedFormat(
            f"The Hugging Face folder holds a {architecture[:80]}; those that classify texts are served "
            f"(…{_ARCHITECTURE}). Export it to ONNX, or upload class Model with requirements of your own."
        )
    names = [*_weights(contents, root), CONFIG, _tokenizer(contents, root)]
    names += [name for name in _OF_TOKENIZERS if f"{root}{name}" in contents.names]
    return ModelFolder(
        kind=f"Hugging Face's, a {architecture[:80]}",
        model=root or "./",
        requirements=contents.text_of(f"{root}requirements.txt"),
        packed={f"{root}{name}": name for name in names},
        packed_as=Format.TRANSFORMERS,
    )


def _refuse_code(contents: Contents, root: str, config: Mapping[str, Any]) -> None:
    said = {CONFIG: config}
    for name in _OF_TOKENIZERS:
        if f"{root}{name}" in contents.texts:
            said[name] = contents.json(f"{root}{name}")
    for name, settings in said.items():
        if isinstance(settings, dict) and "auto_map" in settings:
            raise UnsupportedFormat(
                f"The Hugging Face folder brings Python code of its own (auto_map in {name}), which is never "
                "run. Export the model to ONNX, or upload class Model with requirements of your own."
            )


def _weights(contents: Contents, root: str) -> list[str]:
    if f"{root}{WEIGHTS}" in contents.names:
        return [WEIGHTS]
    if f"{root}{INDEX}" in contents.names:
        shards = sorted(
            name.removeprefix(root)
            for name in contents.names
            if name.startswith(root) and _SHARD.fullmatch(name.removeprefix(root))
        )
        if shards:
            return [INDEX, *shards]
    other = next((name for name in _PICKLES if f"{root}{name}" in contents.names), None)
    if other is not None:
        raise UnsupportedFormat(
            f"The Hugging Face folder holds its weights in {other}, not in safetensors. {_SAVED_AGAIN}"
        )
    raise CorruptArtifact(
        f"The Hugging Face folder holds no weights: there is no {WEIGHTS} in it. Download the repository "
        "with all of its files (git lfs pull in a clone), and pack the folder again."
    )


def _tokenizer(contents: Contents, root: str) -> str:
    if f"{root}{TOKENIZER}" in contents.names:
        return TOKENIZER
    raise UnsupportedFormat(
        f"The Hugging Face folder holds no {TOKENIZER}, from which texts become tokens. Add it: "
        "AutoTokenizer.from_pretrained(folder).save_pretrained(folder)."
    )
