"""Asks the control API what gateways counted of a rollout, and which rows were kept."""

from collections.abc import Sequence
from typing import Any, Protocol

import httpx
import msgspec
import structlog
from modelport_crds.mlmodel import MLModel
from modelport_process import internal_key
from pydantic import SecretStr

from modelport_operator.core.observed.observe import Observed
from modelport_operator.core.rollout.facts import (
    Counts,
    RolloutFacts,
    going_on,
    needs_counts,
    replay_request,
)
from modelport_operator.settings import Settings
from modelport_operator.shell.replay import replay
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

    async def _get[Answered: msgspec.Struct](
        self, what: str, query: dict[str, str | int], type_: type[Answered]
    ) -> Answered:
        try:
            response = await self._client.get(
                f"/internal/v1/rollouts/{what}", params=query, headers=self._headers, timeout=_SECONDS
            )
            response.raise_for_status()
            return msgspec.json.decode(response.content[:_MOST_BYTES], type=type_)
        except (httpx.HTTPError, OSError, msgspec.MsgspecError) as error:
            raise NotHeard(repr(error)) from error


def open_evidence(settings: Settings) -> Evidence | None:
    """Return None where nobody can be asked: rollouts then wait."""
    if not settings.control_url or settings.internal_key is None:
        return None
    return EvidenceClient(httpx.AsyncClient(base_url=settings.control_url), settings.internal_key)


async def find_facts(
    evidence: Evidence | None, runtimes: Runtimes, model: MLModel, observed: Observed
) -> RolloutFacts:
    """Return what this pass needs to know of the model's rollout."""
    rollout = going_on(model)
    if rollout is None:
        return RolloutFacts()
    if evidence is None:
        return RolloutFacts(unheard="The operator knows no control API to ask what was counted.")
    try:
        if needs_counts(rollout):
            return RolloutFacts(counts=await evidence.counts(model.public_id, rollout.id))
        request = replay_request(model, observed)
        if request is None:
            return RolloutFacts()
        rows = await evidence.rows(model.public_id, request.rows)
    except NotHeard as error:
        _log.warning("rollout_unheard", model=model.public_id, error=str(error))
        return RolloutFacts(unheard=_UNHEARD)
    return RolloutFacts(replay=await replay(runtimes, request, rows))
