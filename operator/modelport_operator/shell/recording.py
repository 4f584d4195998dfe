"""Who is told of a model's change, for people to read. Never part of a decision, never a reason to fail."""

from collections.abc import Awaitable, Callable

from modelport_crds.mlmodel import MLModel, MLModelStatus

# Gets the model as it was found and the status that is now written.
Record = Callable[[MLModel, MLModelStatus], Awaitable[None]]


async def record_nothing(_model: MLModel, _status: MLModelStatus) -> None:
    """For clusters that keep no Events."""
