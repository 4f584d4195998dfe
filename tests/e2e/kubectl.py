"""kubectl as users type it, in one namespace of one cluster."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CRD = Path(__file__).parents[2] / "crds" / "mlmodel.yaml"
_RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


@dataclass(frozen=True)
class Kubectl:
    kubeconfig: Path
    namespace: str

    def try_run(
        self, *arguments: str, input: Any = None, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        """`input` is an object, sent as JSON."""
        command = ["kubectl", "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *arguments]
        text = None if input is None else json.dumps(input)
        return subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, timeout=timeout
        )

    def run(self, *arguments: str, input: Any = None, timeout: float = 240) -> str:
        """Return what it printed. Raises with kubectl's own words when it fails."""
        answer = self.try_run(*arguments, input=input, timeout=timeout)
        if answer.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {answer.stderr.strip()}")
        return answer.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "-o", "json"))

    def apply_crd(self) -> None:
        self.run("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
        self.run("wait", "--for=condition=Established", "crd/mlmodels.serving.modelport.dev")

    def create_namespace(self) -> None:
        """Afresh, and with Pod Security at its strictest."""
        self.delete_namespace()
        self.ensure_namespace()

    def ensure_namespace(self) -> None:
        if self.try_run("get", "namespace", self.namespace).returncode:
            self.run("create", "namespace", self.namespace)
        self.run("label", "--overwrite", "namespace", self.namespace, _RESTRICTED)

    def delete_namespace(self) -> None:
        self.run("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=true", timeout=480)

    def leave_namespace(self) -> None:
        """It goes in its own time; who makes it afresh waits for that."""
        self.run("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")
