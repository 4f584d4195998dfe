# Generated from resources/models.py by client/generate_async.py: make docs.
"""`client.models`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from modelport.calls import deploying, ensembles, models
from modelport.calls.ensembles import Member
from modelport.models import Acceleration, Access, Join, Model, Sticky
from modelport.transport.asynchronous import AsyncTransport
from modelport.uploads import FileFormat, OnProgress, Requirements, requirements_text


class AsyncModels:
    """Your models. Every method raises `ModelportError`; a model of another user is NotFound."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def upload(
        self,
        path: str | Path,
        name: str,
        *,
        model_type: str | None = None,
        environment: str | None = None,
        requirements: Requirements | None = None,
        description: str | None = None,
        sample: Any = None,
        reference: str | Path | None = None,
        code: str | Path | None = None,
        acceleration: Acceleration | None = None,
        on_progress: OnProgress | None = None,
    ) -> Model:
        """Upload a model file. It returns while the model still loads: `wait` waits for the end.

        Args:
            model_type: The framework, such as `sklearn`; read from the file unless given.
            environment: What the model runs in, such as `sklearn-1.2`, or `platform` for the platform's own
                libraries; chosen by what saved the file unless given.
            requirements: What it runs with instead: the path of a requirements.txt, or its lines, such as
                `["scikit-learn==1.2.2"]`; `"folder"` takes those of the model folder that is uploaded.
            sample: A row as `predict` takes it, which the model has to predict before it gets requests; of a
                data frame the first.
            reference: A CSV file with a header, of the rows it was trained on; live inputs are compared with
                them (`versions.drift`).
            code: A module (.py), or a zip of modules, that goes along: what a pickle names of your own,
                `preprocess` and `postprocess` around the model, or a class `Model` (`/help/own-code`).
            acceleration: `"off"` has the model itself predict every request.
            on_progress: Called with the bytes sent so far and all bytes of the file.

        Raises:
            InvalidRequest: It is no model file, or too large.
            Conflict: The account holds as many models, or bytes, as it may.
        """
        texts = {
            "name": name,
            "model_type": model_type,
            "environment": environment,
            "requirements": requirements_text(requirements),
            "description": description,
            "acceleration": acceleration,
        }
        return await self._transport.run(
            models.upload(path, sample, reference, on_progress, code=code, **texts)
        )

    async def ensemble(
        self,
        name: str,
        members: Sequence[Member],
        *,
        join: Join,
        final: Member | None = None,
        weights: Sequence[float] | None = None,
        passthrough: bool = False,
        description: str | None = None,
        sample: Any = None,
    ) -> Model:
        """Join versions of your models to be one new model. It returns while that still loads.

        Args:
            members: Each as `"iris-7kq2p@v2"`, or without a version that which serves. In a chain or a stack
                `"column=iris-7kq2p"` names the column that its prediction becomes.
            join: `vote`: the class that most predict; `average`: the mean of numbers, or of probabilities;
                `chain`: each gets what the one before it predicted; `stack`: `final` predicts of what the
                members gave (`/help/ensembles`).
            final: Of a stack: the model over the members' outputs.
            weights: Of a vote and an average: one a member.
            passthrough: Of a stack: the final gets the row too.
            sample: A row that it has to predict before it gets requests.

        Raises:
            InvalidRequest: A member is none of yours, or they cannot share a process; `errors` says which.
            Conflict: The account holds as many models, or bytes, as it may.
        """
        told = ensembles.described(join, members, final, weights, passthrough)
        return await self._transport.run(ensembles.create(name, told, description=description, sample=sample))

    async def deploy(
        self,
        estimator: Any,
        name: str,
        sample: Any = None,
        *,
        to: str | None = None,
        force: bool = False,
        description: str | None = None,
        reference: Any = None,
        code: str | Path | None = None,
        acceleration: Acceleration | None = None,
        file_format: FileFormat = "joblib",
        seconds: float = 300,
        on_status: Callable[[Model], None] | None = None,
    ) -> Model:
        """Upload a fitted estimator from memory, and return its model once it serves.

        An ONNX model, a program of torch.export and a booster of XGBoost or LightGBM are sent as their own
        files. A model of this name that never served is replaced.

        Args:
            sample: Rows as it was trained on, of which the first is sent, or one row.
            to: The id of a model that gets it as its next version; `name` is then not looked at.
            force: With `to`: it gets the requests also if it lacks what callers depend on.
            reference: The rows that it was trained on, a DataFrame or a CSV file: live inputs are compared
                with them (`versions.drift`).
            code: The module (.py), or a zip of modules, that defines its own classes and functions.
            description, acceleration: Of a new model; the setting of one that is there stays.
            file_format: What all other estimators are saved as; needs joblib or skops.
            seconds: How long it waits.
            on_status: Called with each state on the way.

        Raises:
            Conflict: You have a model of this name, and `to` does not say that it is meant.
            ModelFailed: It will not serve; see `reason`.
            NotReadyInTime: It still loads after `seconds`.
            SignatureChanged: It is ready, and gets no requests, since it lacks what callers depend on.
        """
        flow = deploying.deploy(
            estimator,
            name,
            sample,
            to=to,
            force=force,
            description=description,
            reference=reference,
            code=code,
            acceleration=acceleration,
            file_format=file_format,
            seconds=seconds,
            on_status=on_status,
        )
        return await self._transport.run(flow)

    async def get(self, model_id: str, *, wait: float = 0) -> Model:
        """Return one model, at once or after a change.

        Args:
            wait: Seconds, 60 at most: return once nothing is in progress any more, or after so long.
        """
        return await self._transport.run(models.get(model_id, wait))

    async def wait(
        self, model_id: str, *, seconds: float = 300, on_status: Callable[[Model], None] | None = None
    ) -> Model:
        """Return the model once it serves.

        Args:
            on_status: Called with each state on the way.

        Raises:
            ModelFailed: It will not serve; see `reason`.
            NotReadyInTime: It still loads after `seconds`.
            SignatureChanged: It serves as before, and its new version gets no requests.
        """
        return await self._transport.run(models.wait(model_id, seconds, on_status))

    async def update(
        self,
        model_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        access: Access | None = None,
        acceleration: Acceleration | None = None,
        sticky: Sticky | Literal["off"] | None = None,
        history: Mapping[str, Any] | Literal["off"] | None = None,
        feedback: Mapping[str, Any] | Literal["off"] | None = None,
        tags: Sequence[str] | None = None,
        cache_ttl_seconds: int | None = None,
        rate_limit: Mapping[str, int] | Literal["platform"] | None = None,
        timeout_seconds: int | None = None,
        data_drift: Mapping[str, float] | Literal["platform"] | None = None,
    ) -> Model:
        """Change a model's settings; what is left out stays as it is.

        Args:
            sticky: What stays on one version of a traffic split: `"session"`: requests with the same
                `session`; `"caller"`: such sessions, and each caller without one; `"off"`: nothing, each
                request is drawn by the weights.
            history: The share of requests to keep with their responses, `{"percent": 10}`, and if wanted
                `retention_days`, `redact_fields` and `max_row_bytes`; `"off"` keeps no more.
            feedback: Which predictions to keep for what turns out to be true, `{}` or `{"percent": 10}`,
                and if wanted `retention_days` and `id_field`; `"off"` keeps no more.
            tags: All that the model shall have, 20 at most; `[]` removes them.
            cache_ttl_seconds: How long a response is kept; 0: not at all.
            rate_limit: Of each caller, `{"requests": 100, "period_seconds": 60}`; `"platform"`: that of the
                platform.
            timeout_seconds: How long a prediction may take.
            data_drift: When live inputs count as drifted: `psi_threshold`, `alpha`, `window_rows`; what is
                left out, and `"platform"` all, is as the platform has it.
        """
        flow = models.update(
            model_id,
            name=name,
            description=description,
            access=access,
            acceleration=acceleration,
            sticky=sticky,
            history=history,
            feedback=feedback,
            tags=tags,
            cache_ttl_seconds=cache_ttl_seconds,
            rate_limit=rate_limit,
            timeout_seconds=timeout_seconds,
            data_drift=data_drift,
        )
        return await self._transport.run(flow)

    async def set_traffic(self, model_id: str, weights: Mapping[str, int], *, force: bool = False) -> Model:
        """Share the requests among ready versions.

        Args:
            weights: Percent by version, 100 in all: `{"v1": 90, "v2": 10}`.
            force: Send them also to a version that lacks what callers of the others depend on.

        Raises:
            InvalidRequest: The weights are not 100 in all.
            Conflict: A version of them is not ready.
            SignatureChanged: One lacks what callers depend on; `differences` says what. Nothing was changed.
        """
        return await self._transport.run(models.set_traffic(model_id, weights, force=force))

    async def rollback(self, model_id: str) -> Model:
        """Restore the traffic before the last change.

        Raises:
            Conflict: There is nothing to go back to.
        """
        return await self._transport.run(models.rollback(model_id))

    async def delete(self, model_id: str) -> None:
        """Stop serving it and remove its files."""
        return await self._transport.run(models.delete(model_id))

    async def list(self, *, name: str | None = None, tags: Sequence[str] = ()) -> list[Model]:
        """Return your models, newest first.

        Args:
            name: Only those of this name.
            tags: Only those that have all of these.
        """
        return await self._transport.run(models.listing(name, tags).whole())

    __call__ = list
