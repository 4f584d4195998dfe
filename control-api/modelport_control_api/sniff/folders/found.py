"""What of a folder goes on as if it had been uploaded alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from modelport_formats.signatures import Format


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """`kind`: whose folder, in words. `model`: the model file in the archive, or its folder with a slash.

    `row`: of an example in it; None: there is none. `is_made_up`: the row only names the
    columns. `requirements`: the text of its own; None: it has none.
    `versions`: library → version, as the folder says it. `code`: the folder with modules that the model file
    names, with its slash. `packed`: of a model that is a folder, its files by their names in the archive that
    is made of it. `packed_as`: with the mark of those that are unpacked to be read.
    """

    kind: str
    model: str
    row: Any = None
    is_made_up: bool = False
    requirements: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None
    packed: Mapping[str, str] = field(default_factory=dict)
    packed_as: Format | None = None

    def within(self, kind: str) -> Self:
        """Return it as the model in a folder of another kind."""
        return replace(self, kind=f"{kind}: {self.kind}")
