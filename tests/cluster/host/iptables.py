"""Removes the rules and chains that kubelet, kube-proxy and the CNI plugins made, and no others."""

import re
import shutil

from tests.cluster.commands import run

_OURS = re.compile(r"(^:|-[Ajg] )(KUBE-|CNI-HOSTPORT-|CNI-DN-)", re.MULTILINE)


def without_cluster_rules(saved: str) -> str:
    """What `iptables-save` printed, less the cluster's lines."""
    return "".join(line for line in saved.splitlines(keepends=True) if not _OURS.search(line))


def clean() -> None:
    for family in ("iptables", "ip6tables"):
        if shutil.which(f"{family}-save") is None:
            continue
        saved = run(f"{family}-save")
        if _OURS.search(saved):
            run(f"{family}-restore", input=without_cluster_rules(saved))
