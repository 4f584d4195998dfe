"""The Job that makes the bundle of a lock, in a namespace of its own: it may reach the package index and the
control API, and nothing in the cluster knows it.
"""

from modelport_crds import names
from modelport_crds.mlmodel import Lock
from modelport_kube.kube import Object

from modelport_operator.core.naming import MANAGED_BY
from modelport_operator.core.specs.container_env import PACKAGES_DIR, stored_at
from modelport_operator.core.specs.pod_settings import (
    build_placement,
    container_security,
    own_image,
    pod_security,
    pulled,
)
from modelport_operator.settings import Settings

COMPONENT = "modelport-bundle"
_DIGITS = 40
_LONGEST_SECONDS = 1800
# The cluster waits longer and longer between tries, and gives up after these, or after one that is `REFUSED`.
# A Job that has ended is removed after a while, and made again where a version still waits for it.
_TRIES_AGAIN = 6
_KEPT_SECONDS = 60
_WORK = "/scratch"
_CONTAINER = "bundle"
REFUSED = 1
"""How it ends where the same lock would be refused again: `modelport_environments.bundling` says so too."""
_FAILURE_POLICY: Object = {
    "rules": [
        # The node was drained or ran out of something: no fault of the lock, and none of its tries.
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {
            "action": "FailJob",
            "onExitCodes": {"containerName": _CONTAINER, "operator": "In", "values": [REFUSED]},
        },
    ]
}
_PYTHON = "/opt/environment/bin/python"


def job_name(lock: Lock) -> str:
    """Return the name that the Job of a lock has, whoever asks for it."""
    return f"own-{lock.sha256[:_DIGITS]}"


def build_bundle_job(lock: Lock, token: str, settings: Settings) -> Object:
    """Return the Job. `token`: what opens the bundle of this lock alone."""
    labels = {names.LABEL_NAME: COMPONENT, names.LABEL_MANAGED_BY: MANAGED_BY}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(lock),
            "namespace": settings.bundles_namespace,
            "labels": {**labels},
        },
        "spec": {
            "backoffLimit": _TRIES_AGAIN,
            "podFailurePolicy": _FAILURE_POLICY,
            "activeDeadlineSeconds": _LONGEST_SECONDS,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "securityContext": pod_security(settings),
                    "containers": [_build_container(lock, token, settings)],
                    # uv's cache, into which the installed files are links, and what is being unpacked.
                    "volumes": [
                        {"name": "work", "emptyDir": {"sizeLimit": str(2 * settings.bundle_max_bytes)}}
                    ],
                    **build_placement(settings),
                },
            },
        },
    }


def _build_container(lock: Lock, token: str, settings: Settings) -> Object:
    facts = {
        "MODELPORT_BUNDLE_LOCK_URI": stored_at(lock.sha256, settings),
        "MODELPORT_BUNDLE_LOCK_SHA256": lock.sha256,
        "MODELPORT_BUNDLE_TO": settings.bundles_base_url.replace("{lock}", lock.sha256),
        "MODELPORT_BUNDLE_TOKEN": token,
        "MODELPORT_BUNDLE_MAX_BYTES": str(settings.bundle_max_bytes),
        "MODELPORT_BUNDLE_PYTHON": _PYTHON,
        "MODELPORT_BUNDLE_PLACE": PACKAGES_DIR,
        "UV_DEFAULT_INDEX": settings.package_index,
        "UV_CACHE_DIR": f"{_WORK}/cache",
        "TMPDIR": _WORK,
        "HOME": _WORK,
    }
    return {
        "name": _CONTAINER,
        **pulled(own_image(settings), settings),
        "command": ["/opt/bundler/bin/python", "-I", "-m", "modelport_environments.bundling"],
        "env": [{"name": name, "value": value} for name, value in facts.items()],
        "securityContext": container_security(),
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"cpu": "2", "memory": "2Gi"},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [{"name": "work", "mountPath": _WORK}],
    }
