"""What is known of a pod's containers, and how Kubernetes writes that down."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from modelport_kube.kube import Object

from modelport_standalone.local_cluster.processes import Ending


@dataclass
class ContainerState:
    """`current` and `last` are a container status' `state` and `lastState`."""

    name: str
    image: str
    current: dict[str, Any] = field(default_factory=lambda: {"waiting": {"reason": "PodInitializing"}})
    last: dict[str, Any] = field(default_factory=dict)
    started: bool = False
    ready: bool = False
    restarts: int = 0

    @classmethod
    def of(cls, container: Object) -> "ContainerState":
        return cls(container["name"], container.get("image", ""))

    def begin(self) -> None:
        if "terminated" in self.current:
            self.last = self.current
            self.restarts += 1
        self.current = {"running": {"startedAt": now()}}

    def end(self, ending: Ending, reason: str | None, message: str) -> None:
        """`reason` and `message`: why it was ended; else how it ended, and its last line."""
        self.started = self.ready = False
        terminated = {
            "exitCode": ending.code,
            "reason": reason or ("Completed" if ending.code == 0 else "Error"),
            "message": message,
            # By how long it lived, an end during loading is distinguished from another.
            **self.current.get("running", {}),
            "finishedAt": now(),
        }
        signal = {"signal": ending.signal} if ending.signal else {}
        self.current = {"terminated": terminated | signal}

    def to_status(self) -> Object:
        """Return it as an entry of a Pod's `containerStatuses`."""
        return {
            "name": self.name,
            "image": self.image,
            "state": self.current,
            "lastState": self.last,
            "restartCount": self.restarts,
            "started": self.started,
            "ready": self.ready,
        }


@dataclass
class PodState:
    """`address` is `unix:/path/of/the.sock`, empty until the pod listens or if it never will."""

    inits: list[ContainerState]
    container: ContainerState
    address: str = ""

    def to_status(self) -> Object:
        """Return a Pod's `status`: Pending until its container runs and after it has ended, never Failed."""
        ready = "True" if self.container.ready else "False"
        return {
            "phase": "Running" if "running" in self.container.current else "Pending",
            "podIP": self.address,
            "conditions": [{"type": "Ready", "status": ready}],
            "initContainerStatuses": [each.to_status() for each in self.inits],
            "containerStatuses": [self.container.to_status()],
        }


def now() -> str:
    """Return the time in UTC to the second, as Kubernetes writes it: `2026-01-31T12:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
