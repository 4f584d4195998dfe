"""The folders behind the cluster's volumes, and their use again once a claim has let go of one."""

import json
import shutil
from pathlib import Path

from tests.cluster.host.kubectl import kubectl
from tests.cluster.host.manifests import VOLUMES, as_list, storage, volume_folder
from tests.cluster.host.plan import Places


def up(places: Places) -> None:
    for number in range(VOLUMES):
        _empty(volume_folder(places, number))
    kubectl(places, "apply", "-f", "-", input=json.dumps(as_list(storage(places))))


def recycle(places: Places) -> list[str]:
    """Empty the volumes whose claims are gone and offer them again; give their names."""
    volumes = json.loads(kubectl(places, "get", "persistentvolumes", "-o", "json"))["items"]
    released = [each["metadata"]["name"] for each in volumes if each["status"].get("phase") == "Released"]
    for name in released:
        _empty(places.volumes / name)
        kubectl(places, "patch", "persistentvolume", name, "-p", '{"spec": {"claimRef": null}}')
    return released


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Pods run as any user; the cluster's own folder above it is closed to the users of this machine.
    folder.chmod(0o777)
