"""The JSON of webhooks, as docs/api.md shows it."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field

from modelport_control_api.alerts.tables import DeliveryRow, WebhookRow
from modelport_control_api.alerts.webhooks import PATTERNS
from modelport_control_api.http.bodies import Line, RequestBody
from modelport_control_api.network.urls import url_problem


def _check_url(url: str) -> str:
    if problem := url_problem(url):
        raise ValueError(problem)
    return url


def _check_patterns(patterns: list[str]) -> list[str]:
    if unknown := [each for each in patterns if each not in PATTERNS]:
        known = ", ".join(sorted(PATTERNS))
        # As ASCII: half a surrogate pair could not be said.
        raise ValueError(f"may list {known}, and not {', '.join(map(ascii, unknown))[:100]}")
    return list(dict.fromkeys(patterns))


Url = Annotated[str, AfterValidator(_check_url), Field(examples=["https://example.com/hooks/modelport"])]
Patterns = Annotated[
    list[str],
    AfterValidator(_check_patterns),
    Field(min_length=1, max_length=50, examples=[["rollout.*", "model.failed"]]),
]
Description = Annotated[Line, Field(max_length=200)]


class NewWebhook(RequestBody):
    url: Url
    events: Patterns = Field(default=["*"], description="Types, `rollout.*`, or `*` for all.")
    model_id: Annotated[Line, Field(max_length=127)] | None = Field(
        default=None, description="Only of this model. Unless given: of all your models and jobs."
    )
    description: Description = ""


class WebhookChange(RequestBody):
    url: Url | None = None
    events: Patterns | None = None
    description: Description | None = None
    enabled: bool | None = None


class WebhookAnswer(BaseModel):
    id: str
    url: str
    events: list[str]
    model_id: str | None
    description: str
    enabled: bool = Field(description="Off: nothing is sent. A receiver that answers 410 turns it off.")
    created_at: datetime

    @classmethod
    def of(cls, row: WebhookRow) -> Self:
        return cls(
            id=row.id,
            url=row.url,
            events=row.events,
            model_id=row.model_id,
            description=row.description,
            enabled=row.enabled,
            created_at=row.created_at,
        )


class WebhookWithSecret(WebhookAnswer):
    secret: str = Field(description="Signs the messages. Shown this once.")


class WebhookList(BaseModel):
    items: list[WebhookAnswer]
    next_cursor: str | None


class DeliveryAnswer(BaseModel):
    """`id` is the message's `webhook-id`, the same at every try."""

    id: str
    type: str
    event_id: str | None = Field(description="Null: a test.")
    state: Literal["waiting", "delivered", "given_up"]
    attempts: int
    last_status: int | None = Field(description="What the receiver answered last; null: nothing.")
    last_error: str | None
    next_try_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: DeliveryRow) -> Self:
        return cls(
            id=row.id,
            type=row.type,
            event_id=row.event_id,
            state=row.state,
            attempts=row.attempts,
            last_status=row.last_status,
            last_error=row.last_error,
            next_try_at=row.next_try_at,
            delivered_at=row.delivered_at,
            created_at=row.created_at,
        )


class DeliveryList(BaseModel):
    items: list[DeliveryAnswer]
    next_cursor: str | None
