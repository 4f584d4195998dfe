"""Which fields an upload may have, and what was received."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelport_control_api.uploads.errors import EmptyFile, FieldInvalid

FILE_FIELD = "file"


@dataclass(frozen=True, slots=True)
class Form:
    """`text_bytes`: each text field that may come, with the most bytes it may have. `file` always may."""

    text_bytes: Mapping[str, int]
    required: frozenset[str]
    max_file_bytes: int

    @property
    def max_body_bytes(self) -> int:
        """The file, every text field at its longest, and room for the part headers."""
        return self.max_file_bytes + sum(self.text_bytes.values()) + 64 * 1024

    def check_field(self, name: str, seen: set[str]) -> None:
        known = [FILE_FIELD, *self.text_bytes]
        if name not in known:
            raise FieldInvalid(name, f"is not a field of this form; it has {', '.join(known)}")
        if name in seen:
            raise FieldInvalid(name, "is given twice; give it once")

    def check_complete(self, seen: set[str]) -> None:
        for name in (FILE_FIELD, *sorted(self.required)):
            if name not in seen:
                raise FieldInvalid(name, "is missing")


@dataclass(frozen=True, slots=True)
class ReceivedUpload:
    """`path` holds the file until the artifact store takes it. `size` is in bytes."""

    path: Path
    sha256: str
    size: int
    texts: Mapping[str, str] = field(default_factory=dict)

    def require_content(self) -> None:
        if self.size == 0:
            raise EmptyFile("The file is empty. Save the model again and upload the new file.")


def decode_text(name: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise FieldInvalid(name, "is not UTF-8 text") from None
