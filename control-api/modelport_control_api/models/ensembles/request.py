"""The part `ensemble` of an upload: which versions, and how they are joined."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from modelport_formats.ensembles.manifest import MAX_MEMBERS, Join
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from modelport_control_api.errors import InvalidFields
from modelport_control_api.http import bodies
from modelport_control_api.http.bodies import Line
from modelport_control_api.http.problems import field_errors

FIELD = "ensemble"
MAX_TEXT_BYTES = 64 * 1024
_WEIGHTED = ("vote", "average")
_NAMED = ("chain", "stack")

ColumnName = Annotated[Line, StringConstraints(min_length=1, max_length=100)]


class WantedMember(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Annotated[Line, StringConstraints(min_length=1, max_length=100)] = Field(description="Its id.")
    version: Annotated[Line, StringConstraints(max_length=63)] | None = Field(
        None, description="Such as v2; left out: the one that most requests go to."
    )
    name: ColumnName | None = Field(
        None,
        description="Of the column that its prediction becomes, in a chain and a stack; in a chain without "
        "one it is the whole row of the next.",
    )
    weight: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = Field(
        None, description="How much its vote or number counts; 1 unless given."
    )


class WantedEnsemble(BaseModel):
    model_config = ConfigDict(extra="forbid")

    join: Join = Field(
        description="vote: the class that most predict. average: the mean of numbers, or of probabilities. "
        "chain: each gets what the one before it predicted. stack: `final` predicts of what they gave."
    )
    members: list[WantedMember] = Field(min_length=1, max_length=MAX_MEMBERS)
    final: WantedMember | None = Field(None, description="Of a stack: the model over the members' outputs.")
    passthrough: bool = Field(False, description="Of a stack: the final gets the row too.")

    @property
    def everyone(self) -> list[tuple[str, WantedMember]]:
        """Each member with what errors call it."""
        named = [(f"{FIELD}.members[{place}]", member) for place, member in enumerate(self.members)]
        return [*named, (f"{FIELD}.final", self.final)] if self.final else named


def member_of(text: str) -> dict[str, str]:
    """Return a member as it is written in a line: `column=iris-4k2xq@v2`, of which the id alone has to be."""
    name, _, rest = text.strip().rpartition("=")
    model, _, version = rest.partition("@")
    told = {"model": model.strip(), "version": version.strip(), "name": name.strip()}
    return {field: value for field, value in told.items() if value or field == "model"}


def parse(text: str) -> WantedEnsemble:
    """Raises InvalidFields that names every field which is not acceptable."""
    try:
        wanted = WantedEnsemble.model_validate(bodies.loads(text))
    except ValidationError as error:
        found = field_errors(error.errors())
        raise InvalidFields(*((_below(each["field"]), each["message"]) for each in found)) from None
    except ValueError as error:
        raise InvalidFields((FIELD, f"is not JSON: {error}")) from None
    if errors := [*_contradictions(wanted), *_names(wanted.members)]:
        raise InvalidFields(*errors)
    return wanted


def _below(field: str) -> str:
    return FIELD if field == "body" else f"{FIELD}.{field}"


def _contradictions(wanted: WantedEnsemble) -> Iterator[tuple[str, str]]:
    join = wanted.join
    if join == "stack" and wanted.final is None:
        yield f"{FIELD}.final", "is missing: a stack has a model over the members' outputs"
    if join != "stack" and wanted.final is not None:
        yield f"{FIELD}.final", f"is a stack's alone, and the join is {join}"
    if join != "stack" and wanted.passthrough:
        yield f"{FIELD}.passthrough", f"is a stack's alone, and the join is {join}"
    if join != "stack" and len(wanted.members) == 1:
        yield f"{FIELD}.members", "must have at least 2 items"
    for field, member in wanted.everyone:
        if member.weight is not None and (join not in _WEIGHTED or member is wanted.final):
            yield f"{field}.weight", "counts in a vote and an average alone"
        if member.name is not None and (join not in _NAMED or member is wanted.final):
            yield f"{field}.name", "is of the members of a chain and a stack alone"


def _names(members: Sequence[WantedMember]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for place, member in enumerate(members):
        if member.name in seen:
            yield f"{FIELD}.members[{place}].name", "is another member's too: give each its own"
        if member.name is not None:
            seen.add(member.name)
