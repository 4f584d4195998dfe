"""Finds the bundles of models' own packages, or has them made: the control API knows which there are."""

import re
from typing import Protocol

import httpx
import structlog
from modelport_crds.mlmodel import Lock, MLModel
from modelport_crds.names import FIELD_MANAGER
from modelport_crds.reasons import Reason
from modelport_kube.kube import Conflict, Kube, KubeError
from modelport_process import internal_key
from pydantic import SecretStr

from modelport_operator.core.bundles import Packed, bundle_of
from modelport_operator.core.observed.bundle_jobs import read_job, refused_job
from modelport_operator.core.observed.observe import Observed
from modelport_operator.core.problems import Problem
from modelport_operator.core.specs.bundle_job import build_bundle_job, job_name
from modelport_operator.core.versions import without_bundle
from modelport_operator.settings import Settings
from modelport_operator.shell.applying import is_refusal
from modelport_operator.shell.metrics import WRITES

_log = structlog.get_logger()
_SECONDS = 5.0
_DIGEST = re.compile(r"[0-9a-f]{64}")
_JOB_LABEL = "batch.kubernetes.io/job-name"


class CannotAsk(Exception):
    """The control API did not say whether there is a bundle."""


class Bundles(Protocol):
    async def find(self, lock_sha256: str) -> str | None:
        """Return the digest of the lock's bundle; None: it has to be made. Raises CannotAsk."""

    def token(self, lock_sha256: str) -> str:
        """Return what lets a Job hand in the bundle of this lock, and no other."""


class BundleClient:
    def __init__(self, base_url: str, key: SecretStr) -> None:
        self._base_url = base_url
        self._key = key

    async def find(self, lock_sha256: str) -> str | None:
        headers = internal_key.show(internal_key.of_bundle(self._key, lock_sha256))
        try:
            async with httpx.AsyncClient(timeout=_SECONDS) as client:
                response = await client.get(self._base_url.replace("{lock}", lock_sha256), headers=headers)
        except (httpx.HTTPError, OSError) as error:
            raise CannotAsk(repr(error)) from error
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.status_code != httpx.codes.OK or not _DIGEST.fullmatch(response.text):
            raise CannotAsk(f"it answered {response.status_code}")
        return response.text

    def token(self, lock_sha256: str) -> str:
        return internal_key.of_bundle(self._key, lock_sha256).get_secret_value()


def open_bundles(settings: Settings) -> Bundles | None:
    """Return None where no bundles are made."""
    if not settings.makes_bundles or settings.internal_key is None:
        return None
    return BundleClient(settings.bundles_base_url, settings.internal_key)


async def find_bundles(
    kube: Kube, bundles: Bundles | None, model: MLModel, observed: Observed, settings: Settings
) -> Packed:
    """Find the bundle of each version that lacks its own packages, and let a Job make what is not there.

    Raises `KubeError` if the cluster is not there.
    """
    if bundles is None:
        return Packed()
    found = {
        version.name: await _find_or_make(kube, bundles, version.lock, settings)
        for version in without_bundle(model, observed, settings)
        if version.lock
    }
    known = {version.name: bundle_of(model, version) for version in model.spec.versions}
    return Packed(
        made={name: each for name, each in found.items() if isinstance(each, str)},
        problems={name: each for name, each in found.items() if isinstance(each, Problem)},
        # Its pods look for the same bundle again by themselves, later and later.
        preparing=[name for name, each in found.items() if each is None or each == known[name]],
    )


async def _find_or_make(kube: Kube, bundles: Bundles, lock: Lock, settings: Settings) -> str | Problem | None:
    try:
        found = await bundles.find(lock.sha256)
    except CannotAsk as error:
        _log.warning("bundle_not_asked_for", lock=lock.sha256, error=str(error))
        return Problem(Reason.PROGRESSING, "The control API cannot be asked for its packages.")
    return found or await _have_made(kube, bundles.token(lock.sha256), lock, settings)


async def _have_made(kube: Kube, token: str, lock: Lock, settings: Settings) -> Problem | None:
    namespace, name = settings.bundles_namespace, job_name(lock)
    try:
        job = await kube.get("Job", namespace, name)
        if job is not None:
            return read_job(job, await kube.list("Pod", namespace, {_JOB_LABEL: name}), settings)
        await kube.create(build_bundle_job(lock, token, settings), field_manager=FIELD_MANAGER)
    except Conflict:
        # Another model's pass was first.
        return None
    except KubeError as error:
        if not is_refusal(error):
            raise
        return refused_job(str(error))
    WRITES.labels("apply").inc()
    return None
