# Generated from client.py by client/generate_async.py: make docs.
"""The SDK on an event loop: `Modelport`, with methods to await."""

import os
from collections.abc import Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from modelport.async_resources import (
    AsyncAccount,
    AsyncEvents,
    AsyncExperiments,
    AsyncFeedback,
    AsyncJobs,
    AsyncKeptPredictions,
    AsyncKeys,
    AsyncModelQuality,
    AsyncModels,
    AsyncRollouts,
    AsyncUsers,
    AsyncVersions,
    AsyncWebhooks,
)
from modelport.calls import kept, predicting
from modelport.calls.former_names import same_as
from modelport.models import Prediction
from modelport.rows import Predictions
from modelport.transport.asynchronous import AsyncTransport
from modelport.transport.retries import RetryPolicy
from modelport.usage import Bucket, Usage

DEFAULT_URL = "http://127.0.0.1:8000"


class AsyncModelport:
    """`await AsyncModelport().predict("iris-7kq2p", {"petal_width": 0.2, …})`

    Other calls are grouped by what they are about: `models`, `versions`, `rollouts`, `experiments`, `keys`,
    `jobs`, `predictions` (kept requests), `feedback`, `quality`, `events`, `webhooks`, `account` and, for
    administrators, `users`. The names of before stay: `upload` is `models.upload`.

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

    @cached_property
    def models(self) -> AsyncModels:
        """Your models; called like a method, it lists them."""
        return AsyncModels(self._transport)

    @cached_property
    def versions(self) -> AsyncVersions:
        """Versions of your models; called with a model's id, it lists them."""
        return AsyncVersions(self._transport)

    @cached_property
    def rollouts(self) -> AsyncRollouts:
        """Versions on their way to the traffic; called with a model's id, it lists them."""
        return AsyncRollouts(self._transport)

    @cached_property
    def experiments(self) -> AsyncExperiments:
        """A/B tests of versions; called with a model's id, it lists them."""
        return AsyncExperiments(self._transport)

    @cached_property
    def jobs(self) -> AsyncJobs:
        """Predictions over files; called like a method, it lists them."""
        return AsyncJobs(self._transport)

    @cached_property
    def predictions(self) -> AsyncKeptPredictions:
        """Kept requests of your models; called with a model's id, it iterates over them."""
        return AsyncKeptPredictions(self._transport)

    @cached_property
    def feedback(self) -> AsyncFeedback:
        """What turned out to be true of predictions."""
        return AsyncFeedback(self._transport)

    @cached_property
    def quality(self) -> AsyncModelQuality:
        """How good predictions were; called with a model's id, it returns that."""
        return AsyncModelQuality(self._transport)

    @cached_property
    def events(self) -> AsyncEvents:
        """What happened to your models and jobs; called like a method, it lists it."""
        return AsyncEvents(self._transport)

    @cached_property
    def webhooks(self) -> AsyncWebhooks:
        """Addresses that are sent what happens; called like a method, it lists them."""
        return AsyncWebhooks(self._transport)

    @cached_property
    def keys(self) -> AsyncKeys:
        """API keys; called like a method, it lists them."""
        return AsyncKeys(self._transport)

    @cached_property
    def account(self) -> AsyncAccount:
        """The user behind the credential."""
        return AsyncAccount(self._transport)

    @cached_property
    def users(self) -> AsyncUsers:
        """Everybody's accounts, for administrators; called like a method, it lists them."""
        return AsyncUsers(self._transport)

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
            row: NumPy and pandas values and NaN, which is missing, are fine; so are a row of a data frame
                and a data frame of one row.
            version: Call this version, not the one that the traffic's weights choose.
            return_: Names in the version's `signature["outputs"]`, e.g. `["prediction", "probabilities"]`.
            session: Requests of one session stay on one version of a model that is `sticky`.

        Raises:
            InvalidRequest: The row is not what the model takes; `errors` names the fields.
            NotFound: There is no such model, or it is another user's.
            RateLimited: The limit is used up, also after the retries.
            Unavailable: The model cannot predict now, also after the retries.
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
    ) -> Predictions:
        """Predict rows in one request: an iterable of what `predict` takes, an array, or a data frame.

        Returns:
            One prediction a row, in order: a list, with `to_series()` and `to_frame()` for pandas.
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

    upload = same_as("models", AsyncModels.upload)
    deploy = same_as("models", AsyncModels.deploy)
    ensemble = same_as("models", AsyncModels.ensemble)
    model = same_as("models", AsyncModels.get)
    wait_for_model = same_as("models", AsyncModels.wait)
    update = same_as("models", AsyncModels.update)
    delete = same_as("models", AsyncModels.delete)
    traffic = same_as("models", AsyncModels.set_traffic)
    rollback = same_as("models", AsyncModels.rollback)

    add_version = same_as("versions", AsyncVersions.create)
    version = same_as("versions", AsyncVersions.get)
    wait_for_version = same_as("versions", AsyncVersions.wait)
    delete_version = same_as("versions", AsyncVersions.delete)
    logs = same_as("versions", AsyncVersions.logs)
    drift = same_as("versions", AsyncVersions.drift)
    put_reference = same_as("versions", AsyncVersions.put_reference)

    batch = same_as("jobs", AsyncJobs.create)
    job = same_as("jobs", AsyncJobs.get)
    wait_for_job = same_as("jobs", AsyncJobs.wait)
    save_results = same_as("jobs", AsyncJobs.save_results)
    retry_job = same_as("jobs", AsyncJobs.retry)
    delete_job = same_as("jobs", AsyncJobs.delete)

    export_predictions = same_as("predictions", AsyncKeptPredictions.export)
    delete_predictions = same_as("predictions", AsyncKeptPredictions.delete)

    create_key = same_as("keys", AsyncKeys.create)
    rotate_key = same_as("keys", AsyncKeys.rotate)
    revoke_key = same_as("keys", AsyncKeys.revoke)

    register = same_as("account", AsyncAccount.register)
    login = same_as("account", AsyncAccount.login)
    logout = same_as("account", AsyncAccount.logout)
    me = same_as("account", AsyncAccount.me)
