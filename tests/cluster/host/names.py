"""CoreDNS, on the node's address: it answers for the cluster's names and for no others."""

from pathlib import Path

from tests.cluster.host.identities import Identities
from tests.cluster.host.plan import DNS_READY_ADDRESS, DOMAIN, NODE_ADDRESS, Places

_SETTINGS = """
{zones} {{
    bind {address}
    errors
    ready {ready}
    cache 5
    kubernetes {zones} {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
}}
"""


def command(coredns: Path, places: Places, who: Identities) -> list[str | Path]:
    settings = places.settings / "Corefile"
    settings.write_text(corefile(who.kubeconfig("dns")))
    return [coredns, "-conf", settings]


def corefile(kubeconfig: Path) -> str:
    return _SETTINGS.format(
        zones=f"{DOMAIN} in-addr.arpa ip6.arpa",
        address=NODE_ADDRESS,
        ready=DNS_READY_ADDRESS,
        kubeconfig=kubeconfig,
    )
