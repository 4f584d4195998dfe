"""The node's address, the route to Services, and that nothing of the pods leaves this machine."""

from tests.cluster.commands import run, run_each, succeeds
from tests.cluster.host.plan import NODE_ADDRESS, NODE_LINK, POD_LINK, PODS, SERVICES

_TABLE = "1089"
_RULE = ("from", PODS, "lookup", _TABLE)


def up() -> None:
    # A cluster that was killed leaves its links, and its folder may be gone.
    down()
    run_each(
        [
            # A bridge without ports stands in for a "dummy" link, which not every kernel has.
            ("ip", "link", "add", NODE_LINK, "type", "bridge"),
            ("ip", "address", "add", f"{NODE_ADDRESS}/32", "dev", NODE_LINK),
            ("ip", "link", "set", NODE_LINK, "up"),
            ("ip", "route", "replace", SERVICES, "dev", NODE_LINK, "src", NODE_ADDRESS),
            # Pods reach each other and this machine. All else is refused at once: it would leave by the
            # default route, with an address that no one can answer.
            ("ip", "route", "add", "throw", PODS, "table", _TABLE),
            ("ip", "route", "add", "unreachable", "default", "table", _TABLE),
            ("ip", "rule", "add", *_RULE),
        ]
    )


def down() -> None:
    while succeeds("ip", "rule", "delete", *_RULE):
        pass
    if run("ip", "route", "show", "table", "all").find(f"table {_TABLE} ") >= 0:
        run("ip", "route", "flush", "table", _TABLE)
    for link in (*_ports(POD_LINK), POD_LINK, NODE_LINK):
        # A veth may go on its own meanwhile, with its namespace.
        succeeds("ip", "link", "delete", link)


def _ports(bridge: str) -> list[str]:
    if not succeeds("ip", "link", "show", bridge):
        return []
    lines = run("ip", "-oneline", "link", "show", "master", bridge).splitlines()
    return [line.split(": ")[1].partition("@")[0] for line in lines]
