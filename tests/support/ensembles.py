"""Ensembles of trained models, as the control API and the init container leave them."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
from modelport_formats.ensembles.archive import pieces
from modelport_formats.ensembles.manifest import EnsembleMember, Manifest
from modelport_formats.folders import Member
from modelport_runtime.fetch import fetch


@dataclass(frozen=True)
class Part:
    """A model file, or a fitted model that is saved by joblib, on its way to be a member."""

    model: Any
    framework: str = "sklearn"
    name: str | None = None
    weight: float = 1.0
    sample: Any = None

    @property
    def content(self) -> bytes:
        if isinstance(self.model, bytes):
            return self.model
        if isinstance(self.model, Path):
            return self.model.read_bytes()
        file = io.BytesIO()
        joblib.dump(self.model, file)
        return file.getvalue()


def archive(
    join: Any, parts: Sequence[Part], final: Part | None = None, *, passthrough: bool = False
) -> bytes:
    """Return the archive of these members: `a v1`, `b v1`, … and of a stack `final v1`."""
    everyone = [*parts, *([final] if final else [])]
    contents = [part.content for part in everyone]
    ids = [*"abcdefghijklmnop"[: len(parts)], "final"]
    members = [
        EnsembleMember(
            id_,
            "v1",
            part.framework,
            hashlib.sha256(content).hexdigest(),
            part.name,
            part.weight,
            None if part.sample is None else {"input": part.sample},
        )
        for id_, part, content in zip(ids, everyone, contents, strict=False)
    ]
    of_digest = {hashlib.sha256(content).hexdigest(): content for content in contents}

    def member(sha256: str) -> Member:
        content = of_digest[sha256]
        return Member(sha256, len(content), lambda: iter([content]))

    last = members.pop() if final else None
    return b"".join(pieces(Manifest(join, tuple(members), last, passthrough), member))


def fetched(folder: Path, content: bytes) -> Path:
    """Return the archive's path, where the init container put it and unpacked it."""
    source = folder / "uploaded"
    source.write_bytes(content)
    place = folder / "artifact"
    place.mkdir(exist_ok=True)
    fetch(source.as_uri(), hashlib.sha256(content).hexdigest(), place / "model")
    return place / "model"
