"""Asks the control API what gateways counted of a rollout, and which rows were kept."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import httpx
import msgspec
import structlog
from modelport_crds.mlmodel import MLModel
from modelport_process import internal_key
from pydantic import SecretStr

from modelport_operator.core.naming import public_id_of
from modelport_operator.core.observed.observe import Observed
from modelport_operator.core.rollout.facts import (
    Counts,
    RolloutFacts,
    going_on,
    needs_counts,
    replay_request,
)
from modelport_operator.settings import Settings
from modelport_operator.shell.rollout.replay import replay
from modelport_operator.shell.runtimes import Runtimes

_log = structlog.get_logger()
_SECONDS = 5.0
_MOST_BYTES = 16 * 1024 * 1024
_UNHEARD = "The control API cannot be asked what was counted."


class NotHeard(Exception):
    """The control API did not answer."""


class Evidence(Protocol):
    async def counts(self, model: str, rollout: int) -> dict[str, Counts]:
        """Return what was counted, by step. Raises NotHeard."""

    async def rows(self, model: str, limit: int) -> Sequence[Any]:
        """Return kept rows, as a predict body's `inputs` has them. Raises NotHeard."""


class _Counts(msgspec.Struct):
    counts: dict[str, dict[str, int]]


class _Rows(msgspec.Struct):
    rows: list[Any]


_Answered = TypeVar("_Answered", bound=msgspec.Struct)


class EvidenceClient:
    """`client`: reaches the control API's internal port."""

    def __init__(self, client: httpx.AsyncClient, key: SecretStr) -> None:
        self._client = client
        self._headers = internal_key.show(key)

    async def counts(self, model: str, rollout: int) -> dict[str, Counts]:
        query: dict[str, str | int] = {"model": model, "rollout": rollout}
        return dict((await self._get("evidence", query, _Counts)).counts)

    async def rows(self, model: str, limit: int) -> Sequence[Any]:
        return (await self._get("rows", {"model": model, "limit": limit}, _Rows)).rows

    async def _get(self, what: str, query: dict[str, str | int], type_: type[_Answered]) -> _Answered:
        try:
            response = await self._client.get(
                f"/internal/v1/rollouts/{what}", params=query, headers=self._headers, timeout=_SECONDS
            )
            response.raise_for_status()
            return msgspec.json.decode(response.content[:_MOST_BYTES], type=type_)
        except (httpx.HTTPError, OSError, msgspec.MsgspecError) as error:
            raise NotHeard(repr(error)) from error


class LateEvidence:
    """Stands for evidence that can be asked only later: the control API starts after the operator."""

    def __init__(self) -> None:
        self._opened: Evidence | None = None

    def open(self, evidence: Evidence) -> None:
        """Ask this one from now on."""
        self._opened = evidence

    async def counts(self, model: str, rollout: int) -> dict[str, Counts]:
        return await self._evidence().counts(model, rollout)

    async def rows(self, model: str, limit: int) -> Sequence[Any]:
        return await self._evidence().rows(model, limit)

    def _evidence(self) -> Evidence:
        if self._opened is None:
            raise NotHeard("it has not started yet")
        return self._opened


def open_evidence(settings: Settings) -> Evidence | None:
    """Return None where nobody can be asked: rollouts then wait."""
    if not settings.control_url or settings.internal_key is None:
        return None
    return EvidenceClient(httpx.AsyncClient(base_url=settings.control_url), settings.internal_key)


async def find_facts(
    evidence: Evidence | None, runtimes: Runtimes, model: MLModel, observed: Observed, settings: Settings
) -> RolloutFacts:
    """Return what this pass needs to know of the model's rollout."""
    rollout = going_on(model)
    if rollout is None:
        return RolloutFacts()
    if evidence is None:
        return RolloutFacts(unheard="The operator knows no control API to ask what was counted.")
    id_ = public_id_of(model, settings)
    try:
        if needs_counts(rollout):
            return RolloutFacts(counts=await evidence.counts(id_, rollout.id))
        request = replay_request(model, observed)
        if request is None:
            return RolloutFacts()
        rows = await evidence.rows(id_, request.rows)
    except NotHeard as error:
        _log.warning("rollout_unheard", model=id_, error=str(error))
        return RolloutFacts(unheard=_UNHEARD)
    return RolloutFacts(replay=await replay(runtimes, request, rows))
