"""What the Pod Security Standard "restricted" asks of a pod and of each of its containers, and more."""

from modelport_kube.kube import Object


def pod_security() -> Object:
    # 65532 is the images' own user; the fetched file is readable by its group.
    return {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Object:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
