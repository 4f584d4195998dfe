# Generated from resources/experiments.py by client/generate_async.py: make docs.
"""`client.experiments`."""

from collections.abc import Mapping
from typing import Any

from modelport.calls.evaluation import experiments
from modelport.evaluation.experiments import Experiment
from modelport.transport.asynchronous import AsyncTransport


class AsyncExperiments:
    """A/B tests of versions, judged by feedback (`/help/experiments`).

    Every method raises `ModelportError`. Where no `number` is given, the model's newest experiment is meant.
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def start(
        self,
        model_id: str,
        arms: Mapping[str, int],
        *,
        goal: str | Mapping[str, Any] = "reward",
        force: bool = False,
        **more: Any,
    ) -> Experiment:
        """Share the traffic between versions, and find out which does better.

        Args:
            arms: Version → percent; the first is what the others are compared with.
            goal: A metric (`reward`, `accuracy`, …), or `{"metric": …, "direction": …}`.
            force: Also versions that lack what callers of the others depend on.
            more: Other fields of the API, such as `guardrails`, `min_days` or `winner_takes_all`.

        Raises:
            Conflict: Another experiment or a rollout goes on, or a version is not ready.
            SignatureChanged: A version lacks what callers depend on.
        """
        return await self._transport.run(experiments.start(model_id, arms, goal, more, force=force))

    async def get(self, model_id: str, number: int | None = None) -> Experiment:
        """Return what was found so far, or how it ended."""
        return await self._transport.run(experiments.get(model_id, number))

    async def promote(
        self, model_id: str, number: int | None = None, *, version: str | None = None
    ) -> Experiment:
        """End it: the winner has all traffic, or the version that is named.

        Raises:
            Conflict: There is no winner and none is named, or it is over.
        """
        return await self._transport.run(experiments.promote(model_id, number, version))

    async def stop(self, model_id: str, number: int | None = None) -> Experiment:
        """End it: the control has all traffic."""
        return await self._transport.run(experiments.stop(model_id, number))

    async def list(self, model_id: str) -> list[Experiment]:
        """Return a model's experiments, the newest first."""
        return await self._transport.run(experiments.of_model(model_id))

    __call__ = list
