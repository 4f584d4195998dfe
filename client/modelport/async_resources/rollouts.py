# Generated from resources/rollouts.py by client/generate_async.py: make docs.
"""`client.rollouts`."""

from collections.abc import Callable, Mapping
from typing import Any

from modelport.calls import rollouts
from modelport.models import Rollout
from modelport.transport.asynchronous import AsyncTransport


class AsyncRollouts:
    """Versions that prove themselves before they get the traffic (`/help/rollouts`).

    Every method raises `ModelportError`. Where no `number` is given, the model's newest rollout is meant.
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def start(
        self, model_id: str, version: str, *, strategy: Mapping[str, Any] | None = None
    ) -> Rollout:
        """Begin to move the traffic to a version, as far as what is measured allows.

        Args:
            strategy: What is to differ from the defaults, such as `{"steps": [10, 50],
                "guardrails": {"disagreement": None}}`.

        Raises:
            Conflict: Another rollout goes on, or the version failed, or has most of the traffic.
        """
        return await self._transport.run(rollouts.start(model_id, version, strategy))

    async def get(self, model_id: str, number: int | None = None) -> Rollout:
        """Return where it stands, or how it ended."""
        return await self._transport.run(rollouts.get(model_id, number))

    async def wait(
        self,
        model_id: str,
        number: int | None = None,
        *,
        seconds: float = 86_400,
        on_status: Callable[[Rollout], None] | None = None,
    ) -> Rollout:
        """Return it once it is over: `state` and `verdict` say how it ended.

        Args:
            on_status: Called with each state on the way.

        Raises:
            NotReadyInTime: It still goes on after `seconds`.
        """
        return await self._transport.run(rollouts.wait(model_id, number, seconds, on_status))

    async def pause(self, model_id: str, number: int | None = None) -> Rollout:
        """Have it stay where it is."""
        return await self._transport.run(rollouts.steer(model_id, number, "pause"))

    async def resume(self, model_id: str, number: int | None = None) -> Rollout:
        """Have it go on."""
        return await self._transport.run(rollouts.steer(model_id, number, "resume"))

    async def promote(self, model_id: str, number: int | None = None) -> Rollout:
        """End it: the new version gets all traffic, whatever was measured.

        Raises:
            Conflict: The version is not ready, or the rollout is over.
        """
        return await self._transport.run(rollouts.steer(model_id, number, "promote"))

    async def rollback(self, model_id: str, number: int | None = None) -> Rollout:
        """End it: the version before has all traffic again."""
        return await self._transport.run(rollouts.steer(model_id, number, "rollback"))

    async def cancel(self, model_id: str, number: int | None = None) -> Rollout:
        """End it without a verdict: the version before has all traffic again."""
        return await self._transport.run(rollouts.steer(model_id, number, "cancel"))

    async def list(self, model_id: str) -> list[Rollout]:
        """Return a model's rollouts, the newest first."""
        return await self._transport.run(rollouts.of_model(model_id))

    __call__ = list
