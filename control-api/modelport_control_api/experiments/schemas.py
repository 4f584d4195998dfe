"""The bodies of the calls on experiments, as `docs/api.md` names them."""

from datetime import datetime
from typing import Annotated, Literal, Self

from modelport_evidence.arms import Design, Measure, State
from pydantic import BaseModel, Field, model_validator

from modelport_control_api.http.bodies import RequestBody

Metric = Literal["reward", "accuracy", "log_loss", "brier", "mae", "mse"]
Direction = Literal["maximize", "minimize"]
Unit = Literal["session", "caller"]
ExperimentState = Literal["starting", "running", "decided", "inconclusive", "promoted", "stopped"]
VersionName = Annotated[str, Field(max_length=63)]
Weight = Annotated[int, Field(ge=1, le=99)]
_MAXIMIZED = {"reward", "accuracy"}


class Goal(RequestBody):
    """`direction`: what is better, without one the metric's own."""

    metric: Metric
    direction: Direction | None = None

    def measure(self, tolerance: float = 0.0) -> Measure:
        """As it is judged."""
        better = self.direction or ("maximize" if self.metric in _MAXIMIZED else "minimize")
        return Measure(self.metric, higher_is_better=better == "maximize", tolerance=tolerance)


class Guardrail(Goal):
    tolerance: float = Field(ge=0, le=1e12, description="By how much worse than the control's it may be.")


class Terms(RequestBody):
    """What is asked for, apart from the arms."""

    goal: Goal
    guardrails: list[Guardrail] = Field(default=[], max_length=4)
    control: VersionName = Field(
        default="", description="What the others are compared with; without it the first of `arms`."
    )
    unit: Unit = Field(default="session", description="What stays on its version, and is counted.")
    min_days: int = Field(default=7, ge=0, le=365, description="Before a winner is named.")
    max_days: int = Field(default=60, ge=1, le=365, description="Then it is inconclusive.")
    confidence: float = Field(default=0.95, ge=0.5, le=0.999_999)
    winner_takes_all: bool = Field(default=False, description="The traffic moves by itself at the verdict.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        metrics = [self.goal.metric, *(each.metric for each in self.guardrails)]
        if len(set(metrics)) < len(metrics):
            raise ValueError("goal and guardrails must be of different metrics")
        if self.max_days < self.min_days:
            raise ValueError("max_days must not be less than min_days")
        return self

    @property
    def metrics(self) -> frozenset[str]:
        return frozenset([self.goal.metric, *(each.metric for each in self.guardrails)])

    def judged(self, arms: dict[str, int]) -> Design:
        """As it is judged."""
        return Design(
            control=self.control,
            weights=arms,
            goal=self.goal.measure(),
            guardrails=[each.measure(each.tolerance) for each in self.guardrails],
            confidence=self.confidence,
            unit=self.unit,
        )


class ExperimentStart(Terms):
    arms: dict[VersionName, Weight] = Field(
        min_length=2, max_length=10, examples=[{"v1": 50, "v2": 50}], description="Version → percent."
    )

    @model_validator(mode="after")
    def _check_control(self) -> Self:
        self.control = self.control or next(iter(self.arms))
        if self.control not in self.arms:
            raise ValueError("control must be one of arms")
        return self

    @property
    def terms(self) -> Terms:
        return Terms.model_validate(self.model_dump(exclude={"arms"}))


class Promotion(RequestBody):
    version: VersionName | None = Field(default=None, description="Another arm than the winner.")


class ArmAnswer(BaseModel):
    """What one version's units did. `mean`: of the goal, with the interval that holds at every look."""

    version: str
    weight: int
    units: int
    rows: int
    measured: int = Field(description="Units of which the goal is known.")
    mean: float | None
    lower: float | None
    upper: float | None


class ComparisonAnswer(BaseModel):
    """A version beside the control. `estimate`: by how much its mean is greater."""

    version: str
    metric: Metric
    state: State
    estimate: float | None
    lower: float | None = Field(description="With `upper`: the interval that holds at every look.")
    upper: float | None
    units: int = Field(description="Of both, those that have a value.")
    variance_reduction: float | None = Field(
        default=None,
        description="The share of the variance that what units did before the experiment explains: it is "
        "in neither estimate nor interval (CUPED). null: there is too little history, or it explains none.",
    )
    message: str


class Evidence(BaseModel):
    """What the last look found."""

    at: datetime
    arms: list[ArmAnswer]
    comparisons: list[ComparisonAnswer]
    split_is_off: bool = Field(description="Units were not split as asked for: nothing can be concluded.")
    units_in_several: int = Field(description="Answered by more than one arm, and so left out.")
    rows_without_unit: int = Field(description="Without a session, or caller, to count them by; left out.")


class PastInterval(BaseModel):
    version: str
    estimate: float | None
    lower: float | None
    upper: float | None


class Look(BaseModel):
    """The intervals of the goal at a look before."""

    at: datetime
    units: int
    intervals: list[PastInterval]


class ExperimentSummary(Terms):
    id: int
    arms: dict[str, int]
    state: ExperimentState
    verdict: str = Field(description="A sentence; empty before the first look.")
    winner: str | None
    promoted: str | None = Field(description="Who got all traffic at its end.")
    evidence: Evidence | None
    created_by: str
    created_at: datetime
    started_at: datetime | None = Field(description="Since then what is predicted counts.")
    decided_at: datetime | None
    ended_at: datetime | None


class ExperimentAnswer(ExperimentSummary):
    looks: list[Look] = Field(description="How the intervals came to be what they are, the oldest first.")


class ExperimentList(BaseModel):
    items: list[ExperimentSummary]
