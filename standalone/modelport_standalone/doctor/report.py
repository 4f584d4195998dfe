"""What was found out about a file: for people as lines, for scripts as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from modelport.cli.output import size_text
from modelport_crds.reasons import EXPLANATIONS, Reason

_LABEL_WIDTH = 12
_OWN_LIBRARIES = "the platform's own libraries"
_NOT_LOADED = (
    "It was not loaded: whether it is fitted, fits into memory and time and predicts a row, the upload shows."
)


@dataclass(frozen=True)
class Trouble:
    """Why the platform would refuse the file, in its own words; None of `reason`: it names none."""

    reason: str | None
    message: str

    @property
    def cure(self) -> str | None:
        return EXPLANATIONS[Reason(self.reason)].cure if self.reason else None


@dataclass(frozen=True)
class Environment:
    """`name`: None for the platform's own libraries. `here`: False where it has yet to be made."""

    name: str | None
    why: str
    here: bool = True


@dataclass(frozen=True)
class Sample:
    """`needed`: None where only loading shows it."""

    needed: bool | None
    why: str


@dataclass(frozen=True)
class Contents:
    """`folder`: what the file is taken out of; None: it was given alone.

    `saved_with`, `here`: library → version. `classes`: the models and steps that the file names.
    `reading`: `sandbox` for what can run code, else `data`. `differences`: known between the versions.
    """

    folder: str | None
    format: str
    compression: str | None
    framework: str
    saved_with: dict[str, str]
    here: dict[str, str]
    classes: tuple[str, ...]
    environment: Environment
    reading: str
    sample: Sample
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """`contents`: None of what is no model file."""

    file: str
    platform: str | None
    size: int
    max_size: int
    contents: Contents | None
    troubles: tuple[Trouble, ...]

    @property
    def served(self) -> bool:
        return not self.troubles

    def to_json(self) -> dict[str, Any]:
        """Return all of it in JSON's types."""
        troubles = [asdict(each) | {"cure": each.cure} for each in self.troubles]
        return {"served": self.served, **asdict(self), "troubles": troubles}

    def lines(self) -> Iterator[str]:
        """Yield what a person reads."""
        yield self.file
        if self.platform:
            yield _labeled("platform", f"{self.platform}, taken to be of this release")
        yield _labeled("size", f"{size_text(self.size)} of at most {size_text(self.max_size)}")
        if self.contents:
            yield from _describe(self.contents)
        yield ""
        yield from self._verdict()

    def _verdict(self) -> Iterator[str]:
        if self.served:
            yield "It would be served: nothing that can be seen in the file speaks against it."
            yield _NOT_LOADED
            return
        yield "It would be refused:"
        for trouble in self.troubles:
            first, *others = trouble.message.split("\n")
            yield f"  {trouble.reason}: {first}" if trouble.reason else f"  {first}"
            # Lines of a program to copy; what a file made of them stays indented.
            yield from (f"    {line}" for line in others)
            if trouble.cure and trouble.cure not in trouble.message:
                yield f"    What to do: {trouble.cure}"


def _describe(contents: Contents) -> Iterator[str]:
    compressed = f", compressed with {contents.compression}" if contents.compression else ""
    if contents.folder:
        yield _labeled("folder", contents.folder)
    yield _labeled("format", f"{contents.format}{compressed}")
    yield _labeled("framework", contents.framework)
    for library, version in contents.saved_with.items():
        yield _labeled("saved with", f"{library} {version}{_beside(version, contents.here.get(library))}")
    if contents.classes:
        yield _labeled("names", ", ".join(contents.classes))
    yield _labeled("runs in", _where(contents.environment))
    yield _labeled("read", _READING[contents.reading])
    yield _labeled("sample", contents.sample.why)
    yield from (_labeled("differs", text) for text in contents.differences)


_READING = {
    "sandbox": "in a full sandbox only: reading this format can run code",
    "data": "as data: reading this format runs nothing that the file holds",
}


def _beside(version: str, here: str | None) -> str:
    if here is None:
        return ""
    return ", as here" if here == version else f"; {here} is here"


def _where(environment: Environment) -> str:
    made = "" if environment.here else "; it is made at the first need"
    return f"{environment.name or _OWN_LIBRARIES}: {environment.why}{made}"


def _labeled(label: str, text: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}}{text}"
