"""The list of models: searched, filtered and sorted by what its address says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Response

from modelport_control_api.analytics import service as analytics
from modelport_control_api.analytics.query import Query
from modelport_control_api.db.base import utc_now
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.ui.models.attention import ModelLine
from modelport_control_api.ui.models.visit import MOST_SHOWN, CurrentVisit, Visit
from modelport_control_api.ui.shown import status_word

STATES: Mapping[str, str] = {
    "ready": "Ready",
    "pending": "Starting or updating",
    "degraded": "Degraded",
    "failed": "Failed",
    "drift": "Drifting",
}
"""What the list is filtered by. The last is no status: such a model serves."""


ORDERS: Mapping[str, tuple[str, Callable[[ModelLine], Any]]] = {
    "": ("Newest first", lambda line: 0),
    "urgent": ("Failing and drifting first", lambda line: line.urgency),
    "name": ("Name", lambda line: line.model.name.casefold()),
    "requests": ("Most requests today", lambda line: -line.requests),
    "changed": ("Latest change first", lambda line: -line.model.updated_at.timestamp()),
}
"""By the address's word: what users read, and what is sorted by. Models come the newest first."""
_FALLING = {"urgent", "requests", "changed"}
"""Orders that begin with the most or the latest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The fields of the address. `sort`: of `ORDERS`, with a `-` before it the other way round."""

    q: str = ""
    status: str = ""
    tag: str = ""
    sort: str = ""

    @property
    def address(self) -> str:
        """What stands behind the `?`; empty where nothing is asked."""
        return urlencode({name: text for name, text in asdict(self).items() if text})

    @property
    def filters(self) -> bool:
        return bool(self.q or self.status or self.tag)

    def sorted_by(self, order: str) -> "Wanted":
        """Return the same list by this order; by the one that it has: the other way round."""
        return replace(self, sort=f"-{order}" if self.sort == order else order)

    def direction(self, order: str) -> str:
        """Return what a column's head has as `aria-sort`."""
        if self.sort.removeprefix("-") != order:
            return "none"
        falls = (order in _FALLING) != self.sort.startswith("-")
        return "descending" if falls else "ascending"


router = APIRouter(prefix="/ui/models", include_in_schema=False)


async def get_wanted(q: str = "", status: str = "", tag: str = "", sort: str = "") -> Wanted:
    """Collect the parameters; those with a value that is none are as left out."""
    known = sort if sort.removeprefix("-") in ORDERS else ""
    return Wanted(q.strip(), status if status in STATES else "", tag.strip().lower(), known)


WantedModels = Annotated[Wanted, Depends(get_wanted)]


@router.get("")
async def show_models(visit: CurrentVisit, wanted: WantedModels) -> Response:
    return visit.page("models/list.html", **await _seen(visit, wanted))


@router.get("/live")
async def show_live_part(visit: CurrentVisit, wanted: WantedModels) -> Response:
    return visit.page("models/list_live.html", **await _seen(visit, wanted))


async def _seen(visit: Visit, wanted: Wanted) -> dict[str, Any]:
    records, has_more = await visit.newest()
    lines = await _lines(visit, [visit.renderer.model(record) for record in records])
    return {
        "lines": chosen(lines, wanted),
        "total": len(lines),
        "most_shown": MOST_SHOWN if has_more else None,
        "wanted": wanted,
        "states": STATES,
        "orders": {order: words for order, (words, _) in ORDERS.items()},
        "tags": sorted({tag for line in lines for tag in line.model.tags}),
        "is_pending": any(line.model.status == "pending" for line in lines),
    }


async def _lines(visit: Visit, models: Sequence[ModelAnswer]) -> list[ModelLine]:
    """With their usage of today."""
    today = Query(from_=utc_now(), bucket="day", timezone=visit.time_zone)
    usage = await analytics.by_model(visit.context, visit.services, visit.principal, today)
    used = {each.id: each for each in usage}
    return [ModelLine.of(model, used.get(model.id)) for model in models]


def chosen(lines: Sequence[ModelLine], wanted: Wanted) -> list[ModelLine]:
    """Return those that fit, in the order that is asked for."""
    _, key = ORDERS[wanted.sort.removeprefix("-")]
    found = sorted((line for line in lines if _fits(line, wanted)), key=key)
    return found[::-1] if wanted.sort.startswith("-") else found


def _fits(line: ModelLine, wanted: Wanted) -> bool:
    in_state = bool(line.drifting) if wanted.status == "drift" else line.model.status == wanted.status
    tagged = not wanted.tag or wanted.tag in line.model.tags
    return tagged and (in_state or not wanted.status) and _matches(line.model, wanted.q)


def _matches(model: ModelAnswer, search: str) -> bool:
    words = search.casefold().split()
    facts = (model.name, model.id, model.framework, model.status, status_word(model), *model.tags)
    text = " ".join(facts).casefold()
    return all(word in text for word in words)
