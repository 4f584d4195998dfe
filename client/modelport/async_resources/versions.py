# Generated from resources/versions.py by client/generate_async.py: make docs.
"""`client.versions`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from modelport.calls import ensembles, versions
from modelport.calls.ensembles import Member
from modelport.drift import Drift, Importance
from modelport.models import Join, Version
from modelport.transport.asynchronous import AsyncTransport
from modelport.uploads import OnProgress, Requirements


class AsyncVersions:
    """Versions of your models. Every method raises `ModelportError`; what is another user's is NotFound."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(
        self,
        model_id: str,
        path: str | Path,
        *,
        model_type: str | None = None,
        environment: str | None = None,
        requirements: Requirements | None = None,
        sample: Any = None,
        reference: str | Path | None = None,
        code: str | Path | None = None,
        traffic: int | None = None,
        force: bool = False,
        move_traffic: bool = True,
        replaces: str | None = None,
        guarded: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Version:
        """Upload another version; the other arguments and errors are those of `models.upload`.

        Args:
            traffic: Its share of the requests once it is ready, in percent; 0 to try it first. If left out:
                all of them, and with `replaces` those that the failed version was to get.
            force: Send them also if it lacks what callers of the version that serves depend on, such as an
                input or a class. Without it they stay where they are, and `wait` raises.
            move_traffic: False is the former way to write `traffic=0`.
            replaces: The name of a version that has failed, which is removed for it.
            guarded: It gets no requests but what a rollout gives it, which begins at once (`/help/rollouts`):
                follow it with `client.rollouts.wait`.

        Raises:
            Conflict: The version that it replaces has not failed, or another rollout goes on.
        """
        flow = versions.create(
            model_id,
            path,
            model_type=model_type,
            environment=environment,
            requirements=requirements,
            sample=sample,
            reference=reference,
            code=code,
            traffic=traffic if move_traffic else 0,
            force=force,
            replaces=replaces,
            guarded=guarded,
            on_progress=on_progress,
        )
        return await self._transport.run(flow)

    async def ensemble(
        self,
        model_id: str,
        members: Sequence[Member],
        *,
        join: Join,
        final: Member | None = None,
        weights: Sequence[float] | None = None,
        passthrough: bool = False,
        sample: Any = None,
        traffic: int | None = None,
        force: bool = False,
        replaces: str | None = None,
        guarded: bool = False,
    ) -> Version:
        """Join versions of your models to be the model's next one.

        The arguments are those of `models.ensemble`, and of `create`.
        """
        told = ensembles.described(join, members, final, weights, passthrough)
        flow = ensembles.add(
            model_id,
            told,
            sample=sample,
            traffic=traffic,
            force=force,
            replaces=replaces,
            guarded=guarded,
        )
        return await self._transport.run(flow)

    async def get(self, model_id: str, version: str, *, wait: float = 0) -> Version:
        """Return one version, at once or after a change.

        Args:
            wait: Seconds, 60 at most: return once nothing is in progress any more, or after so long.
        """
        return await self._transport.run(versions.get(model_id, version, wait))

    async def wait(
        self,
        model_id: str,
        version: str,
        *,
        seconds: float = 300,
        on_status: Callable[[Version], None] | None = None,
    ) -> Version:
        """Return the version once it is ready.

        Args:
            on_status: Called with each state on the way.

        Raises:
            ModelFailed: It will not be; see `reason`.
            NotReadyInTime: It still loads after `seconds`.
            SignatureChanged: It is ready, and gets no requests, since it lacks what callers depend on.
        """
        return await self._transport.run(versions.wait(model_id, version, seconds, on_status))

    async def retry(
        self, model_id: str, version: str, *, sample: Any = None, environment: str | None = None
    ) -> Version:
        """Try the file of a failed version again, as a new version in its place, which is returned.

        Args:
            sample: A row that it has to predict instead of the one before.
            environment: What it is to run in, such as `sklearn-1.2`, instead of the one before.

        Raises:
            Conflict: The version has not failed.
            InvalidRequest: The sample is no row.
        """
        return await self._transport.run(versions.retry(model_id, version, sample, environment))

    async def download(self, model_id: str, version: str, path: str | Path) -> None:
        """Write the version's model file to a path, where it is once it is whole.

        It is the file that was uploaded: load it only where you would load what its uploader gives you.
        """
        return await self._transport.download(versions.artifact_path(model_id, version), {}, Path(path))

    async def delete(self, model_id: str, version: str) -> None:
        """Remove a version that gets no requests.

        Raises:
            Conflict: It gets requests, or is the only one: delete the model instead.
        """
        return await self._transport.run(versions.delete(model_id, version))

    async def logs(self, model_id: str, version: str, *, tail: int = 200) -> str:
        """Return what the version's code printed, and its traces: the last `tail` lines of each replica."""
        return await self._transport.run(versions.logs(model_id, version, tail))

    async def drift(self, model_id: str, version: str) -> Drift:
        """Return how the version's newest inputs compare with its reference."""
        return await self._transport.run(versions.drift(model_id, version))

    async def importance(self, model_id: str, version: str) -> Importance:
        """Return which columns the version's predictions depend on.

        Raises:
            NotFound: None was computed: upload a reference, or compute it of history.
            Conflict: The version has no contributions.
        """
        return await self._transport.run(versions.importance(model_id, version))

    async def compute_importance(self, model_id: str, version: str) -> Importance:
        """Begin to compute it of the newest predictions that are kept; `importance` returns how far it is.

        Raises:
            Conflict: Too few are kept, or the version has no contributions.
        """
        return await self._transport.run(versions.compute_importance(model_id, version))

    async def put_reference(self, model_id: str, version: str, path: str | Path) -> None:
        """Make a CSV file with a header, of the rows it was trained on, the version's reference."""
        return await self._transport.run(versions.put_reference(model_id, version, path))

    async def list(self, model_id: str) -> list[Version]:
        """Return a model's versions, oldest first."""
        return await self._transport.run(versions.of_model(model_id))

    __call__ = list
