"""A model's representation: the row of the database and what the cluster reports of it, in one."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from modelport_crds import mlmodel
from modelport_crds.mlmodel import MLModel, VersionStatus

from modelport_control_api.drift.messages import summarize
from modelport_control_api.drift.schemas import DataDriftSetting
from modelport_control_api.http.responses import Compatibility
from modelport_control_api.models.model_view import ModelView
from modelport_control_api.models.schemas import (
    EnsembleAnswer,
    FeedbackSetting,
    FieldOutOfSync,
    HistorySetting,
    ModelAnswer,
    ProofAnswer,
    RateLimitSetting,
    RequirementsAnswer,
    VersionAnswer,
)
from modelport_control_api.registry.compatibility import described
from modelport_control_api.registry.records import ModelRecord, VersionRecord
from modelport_control_api.registry.status_view import rollout_on, served_traffic


def render_model(seen: ModelView, predict_url: Callable[[str], str]) -> ModelAnswer:
    """Return the model as the API shows it. `predict_url`: from its id to the address.

    `framework` and `signature` are those of the version with the most traffic.
    """
    record, live, view = seen.record, seen.live, seen.view
    served = served_traffic(live)
    main = record.version(_main_version(served or record.traffic)) or record.versions[-1]
    return ModelAnswer(
        id=record.id,
        name=record.name,
        description=record.description,
        tags=list(record.tags),
        framework=main.framework,
        status=view.status,
        reason=view.reason,
        message=view.message,
        predict_url=predict_url(record.id),
        signature=_signature(main, live),
        access=record.access,
        cache_ttl_seconds=record.cache_ttl_seconds,
        rate_limit=_rate_limit(record),
        timeout_seconds=record.timeout_seconds,
        acceleration=record.acceleration,
        sticky=record.sticky,
        history=_history(record),
        feedback=_feedback(record),
        data_drift=DataDriftSetting(**asdict(record.data_drift)),
        traffic=served,
        wanted_traffic=dict(record.traffic),
        rollout=_rollout(record, live),
        experiment=record.experiment,
        versions=[render_version(seen, version) for version in record.versions],
        owner_id=record.owner_id,
        managed_by=record.managed_by,
        out_of_sync=bool(seen.sync),
        sync=[FieldOutOfSync(**asdict(difference)) for difference in seen.sync],
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def _rollout(record: ModelRecord, live: MLModel | None) -> int | None:
    if record.rollout is not None:
        return record.rollout.number
    going = rollout_on(live)
    return going.id if going else None


def render_version(seen: ModelView, version: VersionRecord) -> VersionAnswer:
    """Return one version of the model. What the cluster has not reported is None; of counts, 0."""
    live, view = seen.live, seen.version_view(version.name)
    known = live.status.version(version.name) if live else None
    known = known or VersionStatus(name=version.name)
    return VersionAnswer(
        name=version.name,
        status=view.status,
        reason=view.reason,
        message=view.message,
        framework=version.framework,
        environment=version.environment,
        requirements=_requirements(version),
        ensemble=EnsembleAnswer.model_validate(version.ensemble) if version.ensemble else None,
        sha256=version.sha256,
        size=version.size,
        sample=version.sample,
        sample_answer=_sample_answer(known),
        signature=known.signature,
        libraries=known.libraries,
        sandbox=known.sandbox,
        engine=known.engine,
        acceleration=_proof(known),
        compatibility=shown_difference(known.compatibility) if known.compatibility else None,
        data_drift=summarize(version.data_drift),
        traffic=served_traffic(live).get(version.name, 0),
        replicas=known.replicas,
        restarts=known.restarts,
        created_at=version.created_at,
    )


def _requirements(version: VersionRecord) -> RequirementsAnswer | None:
    if version.own is None:
        return None
    return RequirementsAnswer(given=version.own.given, packages=list(version.own.packages))


def shown_difference(found: mlmodel.Compatibility) -> Compatibility:
    """Return how two versions compare as the API shows it."""
    return Compatibility.model_validate(described(found))


def _main_version(traffic: Any) -> str:
    return max(traffic, key=lambda version: traffic[version], default="")


def _signature(version: VersionRecord, live: MLModel | None) -> dict[str, Any] | None:
    known = live.status.version(version.name) if live else None
    return known.signature if known else None


def _rate_limit(record: ModelRecord) -> RateLimitSetting | None:
    if record.rate_limit_requests is None:
        return None
    return RateLimitSetting(
        requests=record.rate_limit_requests, period_seconds=record.rate_limit_period_seconds
    )


def _feedback(record: ModelRecord) -> FeedbackSetting | None:
    return FeedbackSetting.model_validate(asdict(record.feedback)) if record.feedback else None


def _history(record: ModelRecord) -> HistorySetting | None:
    return HistorySetting.model_validate(asdict(record.history)) if record.history else None


def _proof(known: VersionStatus) -> ProofAnswer | None:
    proof = known.acceleration
    if proof is None:
        return None
    return ProofAnswer(
        rows_compared=proof.rows_compared, largest_difference=proof.largest_difference, detail=proof.detail
    )


def _sample_answer(known: VersionStatus) -> Any:
    if known.sample_answer is None:
        return None
    try:
        return json.loads(known.sample_answer.body)
    except ValueError:
        # The body is the model's own, and untrusted: shown as the text it is.
        return known.sample_answer.body
