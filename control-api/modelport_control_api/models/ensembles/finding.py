"""The versions that an ensemble is to be made of: whose they are, whether they may be, what they run in."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from modelport_environments.catalogue import ENSEMBLE
from modelport_formats.ensembles.manifest import EnsembleMember, Manifest

from modelport_control_api.errors import InvalidFields
from modelport_control_api.models.ensembles.request import FIELD, WantedEnsemble, WantedMember
from modelport_control_api.models.model_view import ModelView
from modelport_control_api.registry.records import OwnRequirements, VersionRecord
from modelport_control_api.registry.status_view import heaviest, served_traffic

_OF_PLATFORM = "with the platform's own libraries"


@dataclass(frozen=True, slots=True)
class FoundMember:
    """`field`: what errors call it."""

    field: str
    wanted: WantedMember
    version: VersionRecord

    @property
    def label(self) -> str:
        return f"{self.wanted.model} {self.version.name}"

    @property
    def runs(self) -> str:
        """Say in what it runs."""
        return f"in {self.version.environment}" if self.version.environment else _OF_PLATFORM

    def in_manifest(self) -> EnsembleMember:
        version, wanted = self.version, self.wanted
        return EnsembleMember(
            model=wanted.model,
            version=version.name,
            framework=version.framework,
            file=version.sha256,
            name=wanted.name,
            weight=1.0 if wanted.weight is None else wanted.weight,
            sample=version.sample,
        )


@dataclass(frozen=True, slots=True)
class FoundEnsemble:
    """`environment` and `own`: what all members run in."""

    manifest: Manifest
    members: tuple[FoundMember, ...]

    @property
    def environment(self) -> str | None:
        return self.members[0].version.environment

    @property
    def own(self) -> OwnRequirements | None:
        return self.members[0].version.own

    @property
    def size(self) -> int:
        """Bytes of its files, each once."""
        return sum({each.version.sha256: each.version.size or 0 for each in self.members}.values())

    def described(self) -> dict[str, Any]:
        """Return what a version says of it, as the API shows it."""
        told = asdict(self.manifest)
        for each in (*told["members"], *([told["final"]] if told["final"] else [])):
            del each["sample"], each["file"]
        return told


Look = Callable[[str], Awaitable[ModelView | None]]
"""Returns the model of that id; None: there is none, or the caller may not have its files."""


async def find(wanted: WantedEnsemble, look: Look) -> FoundEnsemble:
    """Raises InvalidFields that names each member which cannot be one."""
    found: list[FoundMember] = []
    errors: list[tuple[str, str]] = []
    for field, member in wanted.everyone:
        try:
            found.append(_found(field, member, await look(member.model)))
        except InvalidFields as error:
            errors += [(each["field"], each["message"]) for each in error.errors]
    if errors:
        raise InvalidFields(*errors)
    _require_one_environment(found)
    members = [each.in_manifest() for each in found]
    last = members.pop() if wanted.final is not None else None
    manifest = Manifest(wanted.join, tuple(members), last, wanted.passthrough)
    return FoundEnsemble(manifest, tuple(found))


def _found(field: str, member: WantedMember, seen: ModelView | None) -> FoundMember:
    if seen is None:
        raise InvalidFields((f"{field}.model", "is no model, or not yours"))
    record = seen.record
    if record.managed_by == "kubectl":
        raise InvalidFields(
            (f"{field}.model", "was applied with kubectl, so its file is not in the platform")
        )
    main = heaviest(served_traffic(seen.live) or record.traffic) or record.versions[-1].name
    version = record.version(member.version or main)
    if version is None:
        there = ", ".join(each.name for each in record.versions)
        raise InvalidFields((f"{field}.version", f"is none of {record.id}, which has {there}"))
    if version.framework == ENSEMBLE:
        raise InvalidFields((field, "is an ensemble itself: give its members"))
    view = seen.version_view(version.name)
    if view.status == "failed":
        raise InvalidFields((f"{field}.version", f"has failed and cannot predict ({view.reason})"))
    return FoundMember(field, member, version)


def _require_one_environment(members: list[FoundMember]) -> None:
    """One process loads them all. Raises InvalidFields."""
    first = members[0]
    for each in members[1:]:
        if each.version.environment != first.version.environment:
            raise InvalidFields(
                (
                    FIELD,
                    f"has members that cannot share a process: {first.label} runs {first.runs}, {each.label} "
                    f"{each.runs}; upload one of them again with the environment of the other",
                )
            )
