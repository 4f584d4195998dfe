"""The members of an ensemble as one backend, with one signature."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from modelport_formats.ensembles.manifest import Manifest

from modelport_runtime.core.backends.ensembles import joins
from modelport_runtime.core.backends.ensembles.chain import Chain
from modelport_runtime.core.backends.ensembles.columns import Rows, mismatch
from modelport_runtime.core.backends.ensembles.members import Member
from modelport_runtime.core.backends.ensembles.stack import Stack
from modelport_runtime.core.backends.estimators.results import Unreadable
from modelport_runtime.core.rows import RowDecoder
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Outputs, Rejected


class Joined(Protocol):
    """Members that are joined. `predict` gets decoded rows of its columns."""

    rows: Rows

    @property
    def signature(self) -> Signature: ...

    def predict(self, rows: Any, wanted: tuple[str, ...]) -> Outputs: ...


class EnsembleBackend:
    """See `Backend`."""

    def __init__(self, joined: Joined, members: Sequence[Member]) -> None:
        self.signature = joined.signature
        backends = [member.backend for member in members]
        self.libraries = {name: here for each in backends for name, here in each.libraries.items()}
        self.rounding = max(float(getattr(each, "rounding", 1e-6)) for each in backends)
        self.blanks_are_lost = all(getattr(each, "blanks_are_lost", False) for each in backends)
        self.example = _example(joined.rows, members)
        self._refusals = [each.is_refusal for each in backends if hasattr(each, "is_refusal")]
        self._joined = joined

    def is_refusal(self, error: BaseException) -> bool:
        return any(refuses(error) for refuses in self._refusals)

    def assembler(self, _signature: Signature) -> Callable[[Any], Any]:
        """Members assemble for themselves: the columns stand in one order, whatever a sample calls them."""
        return lambda rows: rows

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        return self._joined.predict(inputs, wanted)


def join(manifest: Manifest, everyone: Sequence[Member]) -> EnsembleBackend:
    """Return the backend of loaded members, of a stack the final last. Raises `LoadError`."""
    backend = EnsembleBackend(_joined(manifest, everyone), everyone)
    _try(backend)
    return backend


def _joined(manifest: Manifest, everyone: Sequence[Member]) -> Joined:
    match manifest.join:
        case "vote":
            return joins.Vote(everyone)
        case "average":
            return joins.average(everyone)
        case "chain":
            return Chain(everyone)
        case "stack":
            *members, final = everyone
            return Stack(members, final, passthrough=manifest.passthrough)


def _example(rows: Rows, members: Sequence[Member]) -> Any:
    """Return a row of what each member predicted a row with; None: there is none."""
    if rows.columns is None or rows.positional:
        return members[0].example
    found: dict[str, Any] = {}
    for member, places in zip(members, rows.places, strict=False):
        values = _by_name(member)
        for name, place in (places or {}).items():
            if name in values:
                found.setdefault(rows.columns[place].name, values[name])
    # In the order of the columns; what only others than these members take is left to be made up.
    return {column.name: found[column.name] for column in rows.columns if column.name in found}


def _by_name(member: Member) -> dict[str, Any]:
    if isinstance(member.example, dict):
        return member.example
    names = [column.name for column in member.signature.columns or ()]
    return dict(zip(names, member.example, strict=False))


def _try(backend: EnsembleBackend) -> None:
    """Raise `LoadError` (MembersMismatch) where a member cannot take what another one gives."""
    try:
        rows = RowDecoder(backend.signature).read_rows([backend.example], "input")
        backend.predict(rows, backend.signature.usual_outputs)
    except Unreadable as error:
        text = str(error)
        raise mismatch(
            f"{text[:1].upper()}{text[1:]}.",
            "Chain members of which each takes what the one before it predicts.",
        ) from error
    except Rejected:
        # Found again, and worded, where the ensemble predicts its sample.
        return
    except Exception:  # noqa: BLE001  # as above
        return
