"""The bodies of the calls on rollouts, as `docs/api.md` names them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from modelport_crds import mlmodel
from pydantic import BaseModel, BeforeValidator, Field, field_validator

from modelport_control_api.http.bodies import RequestBody

State = Literal[
    "pending", "replaying", "shadowing", "canary", "baking", "promoted", "rolled_back", "inconclusive",
    "cancelled",
]  # fmt: skip
# No union with "off": what is neither would be refused twice, under names of pydantic's.
_Off = BeforeValidator(lambda value: None if value == "off" else value)
Share = Annotated[Annotated[float, Field(ge=0, le=1)] | None, _Off]
Ratio = Annotated[Annotated[float, Field(ge=0, le=999_999)] | None, _Off]
Percent = Annotated[int, Field(ge=1, le=99)]


class Replay(RequestBody):
    rows: int = Field(
        default=500, ge=0, le=5000, description="Kept rows that go through both versions; 0: none."
    )


class Shadow(RequestBody):
    percent: int = Field(default=100, ge=1, le=100, description="Share of answered requests that is copied.")
    min_rows: int = Field(
        default=200, ge=0, le=10_000_000, description="Compared rows before it gets traffic."
    )


class Guardrails(RequestBody):
    """What is tolerated of the candidate, beside the baseline; null or "off": it is not looked at."""

    disagreement: Share = Field(default=0.01, description="Share of rows that it answers otherwise.")
    error_rate: Share = Field(default=0.01, description="By how much more it may fail (5xx).")
    refusal_rate: Share = Field(default=0.01, description="By how much more it may refuse (4xx).")
    p99_ratio: Ratio = Field(default=2.0, description="Of both 99th percentiles of latency.")
    quality: Share = Field(
        default=None,
        description="Of how many more of the rows whose truth is known it may predict another class.",
    )


class Strategy(RequestBody):
    replay: Replay = Replay()
    shadow: Shadow = Shadow()
    steps: list[Percent] = Field(default=[1, 5, 25, 50], max_length=20, description="Percent of the traffic.")
    step_minutes: int = Field(default=2, ge=0, le=10_080)
    step_requests: int = Field(default=50, ge=0, le=1_000_000)
    guardrails: Guardrails = Guardrails()
    confidence: float = Field(default=0.95, ge=0.5, le=0.999_999)
    bake_minutes: int = Field(default=10, ge=0, le=10_080)
    max_hours: int = Field(default=24, ge=1, le=720)

    @field_validator("steps")
    @classmethod
    def _check_steps(cls, steps: list[int]) -> list[int]:
        if steps != sorted(set(steps)):
            raise ValueError("must rise, as 1, 5, 25 do")
        return steps

    def wanted(self) -> mlmodel.RolloutStrategy:
        """As an MLModel has it."""
        limits = {name: _limit(value) for name, value in self.guardrails}
        return mlmodel.RolloutStrategy(
            replay=mlmodel.Replay(rows=self.replay.rows),
            shadow=mlmodel.Shadow(percent=self.shadow.percent, min_rows=self.shadow.min_rows),
            steps=tuple(self.steps),
            step_minutes=self.step_minutes,
            step_requests=self.step_requests,
            guardrails=mlmodel.Guardrails(**limits),
            confidence=_decimal(self.confidence),
            bake_minutes=self.bake_minutes,
            max_hours=self.max_hours,
        )

    @classmethod
    def of(cls, strategy: mlmodel.RolloutStrategy) -> Self:
        """From what an MLModel has. Nothing is refused: kubectl may have written what this API would not."""
        limits: dict[str, Any] = {
            name: number_of(text) for name, text in msgspec.structs.asdict(strategy.guardrails).items()
        }
        values: dict[str, Any] = msgspec.structs.asdict(strategy)
        return cls.model_construct(
            **values
            | {
                "replay": Replay.model_construct(**msgspec.structs.asdict(strategy.replay)),
                "shadow": Shadow.model_construct(**msgspec.structs.asdict(strategy.shadow)),
                "steps": list(strategy.steps),
                "guardrails": Guardrails.model_construct(**limits),
                "confidence": float(strategy.confidence),
            }
        )


class RolloutStart(RequestBody):
    version: str = Field(max_length=63, examples=["v2"])
    strategy: Strategy = Strategy()


class Finding(BaseModel):
    """What is known of one guardrail."""

    guardrail: str
    state: mlmodel.FindingState
    estimate: float | None
    lower: float | None = Field(description="With `upper`: the interval that holds at every look.")
    upper: float | None
    limit: float | None = Field(description="The tolerance.")
    observations: int = Field(description="Rows, or requests.")
    message: str


class RolloutAnswer(BaseModel):
    id: int
    version: str = Field(description="The candidate.")
    baseline: str = Field(description="What it is compared with.")
    state: State
    step: str = Field(description="`shadow`, or the candidate's percentage.")
    weight: int = Field(description="Percent of the traffic that the candidate has.")
    shadow_percent: int
    replayed_rows: int
    verdict: str = Field(description="One sentence; empty while there is none.")
    held: str = Field(description="Why it does not go on now; empty: it does.")
    paused: bool
    decision: mlmodel.RolloutDecision | None = Field(description="What somebody asked for.")
    findings: list[Finding]
    strategy: Strategy
    created_by: str | None
    created_at: datetime | None
    started_at: datetime | None
    step_started_at: datetime | None
    ended_at: datetime | None


class SideEvidence(BaseModel):
    """What was counted of one of the two versions in one step."""

    requests: int = Field(description="Of callers.")
    errors: int = Field(description="Of these, those that it failed (5xx).")
    refusals: int = Field(description="Of these, those that it refused (4xx).")
    p50_ms: float | None = Field(description="Of these, without those from the cache, within 5 %.")
    p99_ms: float | None
    failed_alone: int = Field(description="Pairs in which it failed, and the other version did not.")
    refused_alone: int = Field(description="Pairs in which it refused what the other version answered.")
    paired_p50_ms: float | None = Field(description="Of its calls in pairs, within 5 %.")
    paired_p99_ms: float | None


class StepEvidence(BaseModel):
    """What was counted in one step. Pairs: requests that both versions got, one of them as a copy."""

    step: str = Field(description="shadow, or the candidate's percent of the traffic.", examples=["5"])
    rows: int = Field(description="Rows that both versions answered.")
    disagreements: int = Field(description="Of these, those that they answered differently.")
    pairs: int
    dropped: int = Field(description="Requests that were to be copied and were not.")
    candidate: SideEvidence
    baseline: SideEvidence


class SegmentEvidence(BaseModel):
    """Compared rows of which one thing is true, over all steps."""

    segment: str = Field(examples=["`shape` is missing"])
    rows: int
    disagreements: int


class RolloutDetail(RolloutAnswer):
    evidence: list[StepEvidence] | None = Field(
        description="By step, in their order; null for all but the model's owner."
    )
    worst_segments: list[SegmentEvidence] | None = Field(
        description="With more disagreements than other rows, the most first, ten at most; empty once the "
        "rollout is over. null for all but the model's owner."
    )


class RolloutList(BaseModel):
    items: list[RolloutAnswer]


def number_of(text: str) -> float | None:
    """Return the number of an MLModel's text; None: it has none, or the guardrail is off."""
    try:
        return float(text)
    except ValueError:
        return None


def _limit(value: float | None) -> str:
    return "off" if value is None else _decimal(value)


def _decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
