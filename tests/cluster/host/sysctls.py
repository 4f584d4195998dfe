"""The kernel settings that the cluster changes, remembered so that `down` puts them back."""

import json
from pathlib import Path

from tests.cluster.host.plan import Places

_ROOT = Path("/proc/sys")
_CHANGED_BY_KUBERNETES = (
    "net/ipv4/conf/all/route_localnet",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
_FORWARD = "net/ipv4/ip_forward"


def up(places: Places) -> None:
    names = [name for name in (_FORWARD, *_CHANGED_BY_KUBERNETES) if (_ROOT / name).exists()]
    before = {name: (_ROOT / name).read_text() for name in names}
    _record(places).write_text(json.dumps(before))
    (_ROOT / _FORWARD).write_text("1")


def down(places: Places) -> None:
    if not _record(places).exists():
        return
    for name, value in json.loads(_record(places).read_text()).items():
        (_ROOT / name).write_text(value)


def _record(places: Places) -> Path:
    return places.settings / "sysctls.json"
