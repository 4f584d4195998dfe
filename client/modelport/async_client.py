# Generated from client.py by client/generate_async.py: make docs.
"""The SDK on an event loop: `Modelport`, with methods to await."""

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from modelport.async_resources import (
    AsyncAccount,
    AsyncJobs,
    AsyncKeptPredictions,
    AsyncKeys,
    AsyncModels,
    AsyncVersions,
)
from modelport.calls import kept, predicting
from modelport.models import Prediction
from modelport.transport import AsyncTransport, RetryPolicy
from modelport.usage import Bucket, Usage

DEFAULT_URL = "http://127.0.0.1:8000"


class AsyncModelport:
    """`await AsyncModelport().predict("iris-7kq2p", {"petal_width": 0.2, …})`

    Other calls are grouped by what they are about: `models`, `versions`, `keys`, `jobs`, `predictions` (kept
    requests) and `account`. The names of before stay: `upload` is `models.upload`.

    Args:
        url: Of the platform; MODELPORT_URL unless given, then this machine.
        api_key: A key or an access token; MODELPORT_API_KEY unless given, then what `modelport login` or
            `modelport up` kept for the URL.
        timeout_seconds: For each silence of the platform, not for a whole call.

    Every method raises `ModelportError`. Tasks of one event loop may share one object.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 60,
        retries: RetryPolicy | None = None,
    ) -> None:
        self._transport = AsyncTransport(
            url or os.environ.get("MODELPORT_URL") or DEFAULT_URL,
            api_key or os.environ.get("MODELPORT_API_KEY"),
            timeout_seconds=timeout_seconds,
            retries=retries or RetryPolicy(),
        )
        self._add_models(AsyncModels(self._transport), AsyncVersions(self._transport))
        self._add_jobs(AsyncJobs(self._transport), AsyncKeptPredictions(self._transport))
        self._add_account(AsyncAccount(self._transport), AsyncKeys(self._transport))

    def _add_models(self, models: AsyncModels, versions: AsyncVersions) -> None:
        self.models = models
        self.upload, self.model, self.wait_for_model = models.upload, models.get, models.wait
        self.update, self.delete = models.update, models.delete
        self.traffic, self.rollback = models.set_traffic, models.rollback
        self.versions = versions
        self.add_version, self.version, self.wait_for_version = versions.create, versions.get, versions.wait
        self.delete_version, self.logs = versions.delete, versions.logs
        self.drift, self.put_reference = versions.drift, versions.put_reference

    def _add_jobs(self, jobs: AsyncJobs, predictions: AsyncKeptPredictions) -> None:
        self.jobs = jobs
        self.batch, self.job, self.wait_for_job = jobs.create, jobs.get, jobs.wait
        self.save_results, self.retry_job, self.delete_job = jobs.save_results, jobs.retry, jobs.delete
        self.predictions = predictions
        self.export_predictions, self.delete_predictions = predictions.export, predictions.delete

    def _add_account(self, account: AsyncAccount, keys: AsyncKeys) -> None:
        self.account = account
        self.register, self.login = account.register, account.login
        self.logout, self.me = account.logout, account.me
        self.keys = keys
        self.create_key, self.rotate_key, self.revoke_key = keys.create, keys.rotate, keys.revoke

    @property
    def url(self) -> str:
        """The platform's address, without a slash at its end."""
        return self._transport.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return await self.close()

    async def close(self) -> None:
        """Close the connections."""
        return await self._transport.close()

    async def predict(
        self,
        model_id: str,
        row: Any,
        *,
        version: str | None = None,
        return_: Sequence[str] | None = None,
        session: str | None = None,
    ) -> Prediction:
        """Predict one row: an object by name, a list by position, or a text.

        Args:
            row: NumPy and pandas values and NaN, which is missing, are fine.
            version: Call this version, not the one that the traffic's weights choose.
            return_: Names in the version's `signature["outputs"]`, e.g. `["prediction", "probabilities"]`.
            session: Requests of one session stay on one version.

        Raises:
            InvalidRequest: The row is not what the model takes; `errors` names the fields.
            NotFound: There is no such model, or it is another user's.
            RateLimited: The limit is used up, also after the retries.
            Unavailable: The model cannot answer now, also after the retries.
        """
        return await self._transport.run(predicting.predict(model_id, row, version, return_, session))

    async def predict_many(
        self,
        model_id: str,
        rows: Any,
        *,
        version: str | None = None,
        return_: Sequence[str] | None = None,
        session: str | None = None,
    ) -> list[Prediction]:
        """Predict rows in one request: an iterable of what `predict` takes, an array, or a data frame.

        Returns:
            One prediction a row, in order.
        """
        return await self._transport.run(predicting.predict_many(model_id, rows, version, return_, session))

    async def usage(
        self,
        model_id: str | None = None,
        *,
        days: float = 7,
        bucket: Bucket = "day",
        timezone: str = "UTC",
    ) -> Usage:
        """Return the requests to one model, or to all of yours, in the last `days`.

        Args:
            bucket: How long the periods of `series` are.
            timezone: An IANA name; days begin at midnight in it.

        Raises:
            Forbidden: The API key lacks the scope `analytics:read`.
        """
        return await self._transport.run(kept.usage(model_id, days, bucket, timezone))
