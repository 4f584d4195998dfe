"""What the end-to-end tests get: a cluster, wherever it came from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NONE_TO_BE_HAD = 3
"""What `python -m tests.cluster up` exits with where NoCluster is the result; other numbers are failures."""

Kind = Literal["given", "kind", "host"]


class NoCluster(Exception):
    """There is no cluster, or this one cannot do what was asked; the text says why, in one line."""


@dataclass(frozen=True)
class Cluster:
    kind: Kind
    kubeconfig: Path
    load_image: Callable[[Path], None]
    """Bring an image into the cluster without a registry: an archive as of `docker save`."""
    remove_image: Callable[[str], object]
    """From its disk, by the image's name; pods that run it go on."""
    restart_api_server: Callable[[], None]
    """Returns when it answers again."""
    recycle_volumes: Callable[[], object] = lambda: None
    """Offer those again whose claims were deleted; needed where volumes are made in advance."""
    audit_log: Path | None = None
    """The API server's, one JSON object a line: writes only (see audit.py)."""
    enforces_network_policies: bool = True
