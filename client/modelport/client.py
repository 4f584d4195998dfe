"""The SDK: one object for one platform."""

import os
from collections.abc import Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from modelport.calls import kept, predicting
from modelport.calls.former_names import same_as
from modelport.models import Prediction
from modelport.resources import (
    Account,
    Events,
    Experiments,
    Feedback,
    Jobs,
    KeptPredictions,
    Keys,
    ModelQuality,
    Models,
    Rollouts,
    Users,
    Versions,
    Webhooks,
)
from modelport.rows import Predictions
from modelport.transport.blocking import Transport
from modelport.transport.retries import RetryPolicy
from modelport.usage import Bucket, Usage

DEFAULT_URL = "http://127.0.0.1:8000"


class Modelport:
    """`Modelport().predict("iris-7kq2p", {"petal_width": 0.2, …})`

    Other calls are grouped by what they are about: `models`, `versions`, `rollouts`, `experiments`, `keys`,
    `jobs`, `predictions` (kept requests), `feedback`, `quality`, `events`, `webhooks`, `account` and, for
    administrators, `users`. The names of before stay: `upload` is `models.upload`.

    Args:
        url: Of the platform; MODELPORT_URL unless given, then this machine.
        api_key: A key or an access token; MODELPORT_API_KEY unless given, then what `modelport login` or
            `modelport up` kept for the URL.
        timeout_seconds: For each silence of the platform, not for a whole call.

    Every method raises `ModelportError`. Threads may share one object.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 60,
        retries: RetryPolicy | None = None,
    ) -> None:
        self._transport = Transport(
            url or os.environ.get("MODELPORT_URL") or DEFAULT_URL,
            api_key or os.environ.get("MODELPORT_API_KEY"),
            timeout_seconds=timeout_seconds,
            retries=retries or RetryPolicy(),
        )

    @cached_property
    def models(self) -> Models:
        """Your models; called like a method, it lists them."""
        return Models(self._transport)

    @cached_property
    def versions(self) -> Versions:
        """Versions of your models; called with a model's id, it lists them."""
        return Versions(self._transport)

    @cached_property
    def rollouts(self) -> Rollouts:
        """Versions on their way to the traffic; called with a model's id, it lists them."""
        return Rollouts(self._transport)

    @cached_property
    def experiments(self) -> Experiments:
        """A/B tests of versions; called with a model's id, it lists them."""
        return Experiments(self._transport)

    @cached_property
    def jobs(self) -> Jobs:
        """Predictions over files; called like a method, it lists them."""
        return Jobs(self._transport)

    @cached_property
    def predictions(self) -> KeptPredictions:
        """Kept requests of your models; called with a model's id, it iterates over them."""
        return KeptPredictions(self._transport)

    @cached_property
    def feedback(self) -> Feedback:
        """What turned out to be true of predictions."""
        return Feedback(self._transport)

    @cached_property
    def quality(self) -> ModelQuality:
        """How good predictions were; called with a model's id, it returns that."""
        return ModelQuality(self._transport)

    @cached_property
    def events(self) -> Events:
        """What happened to your models and jobs; called like a method, it lists it."""
        return Events(self._transport)

    @cached_property
    def webhooks(self) -> Webhooks:
        """Addresses that are sent what happens; called like a method, it lists them."""
        return Webhooks(self._transport)

    @cached_property
    def keys(self) -> Keys:
        """API keys; called like a method, it lists them."""
        return Keys(self._transport)

    @cached_property
    def account(self) -> Account:
        """The user behind the credential."""
        return Account(self._transport)

    @cached_property
    def users(self) -> Users:
        """Everybody's accounts, for administrators; called like a method, it lists them."""
        return Users(self._transport)

    @property
    def url(self) -> str:
        """The platform's address, without a slash at its end."""
        return self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return self.close()

    def close(self) -> None:
        """Close the connections."""
        return self._transport.close()

    def predict(
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
        return self._transport.run(predicting.predict(model_id, row, version, return_, session))

    def predict_many(
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
        return self._transport.run(predicting.predict_many(model_id, rows, version, return_, session))

    def usage(
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
        return self._transport.run(kept.usage(model_id, days, bucket, timezone))

    upload = same_as("models", Models.upload)
    deploy = same_as("models", Models.deploy)
    ensemble = same_as("models", Models.ensemble)
    model = same_as("models", Models.get)
    wait_for_model = same_as("models", Models.wait)
    update = same_as("models", Models.update)
    delete = same_as("models", Models.delete)
    traffic = same_as("models", Models.set_traffic)
    rollback = same_as("models", Models.rollback)

    add_version = same_as("versions", Versions.create)
    version = same_as("versions", Versions.get)
    wait_for_version = same_as("versions", Versions.wait)
    delete_version = same_as("versions", Versions.delete)
    logs = same_as("versions", Versions.logs)
    drift = same_as("versions", Versions.drift)
    put_reference = same_as("versions", Versions.put_reference)

    batch = same_as("jobs", Jobs.create)
    job = same_as("jobs", Jobs.get)
    wait_for_job = same_as("jobs", Jobs.wait)
    save_results = same_as("jobs", Jobs.save_results)
    retry_job = same_as("jobs", Jobs.retry)
    delete_job = same_as("jobs", Jobs.delete)

    export_predictions = same_as("predictions", KeptPredictions.export)
    delete_predictions = same_as("predictions", KeptPredictions.delete)

    create_key = same_as("keys", Keys.create)
    rotate_key = same_as("keys", Keys.rotate)
    revoke_key = same_as("keys", Keys.revoke)

    register = same_as("account", Account.register)
    login = same_as("account", Account.login)
    logout = same_as("account", Account.logout)
    me = same_as("account", Account.me)
