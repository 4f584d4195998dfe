"""python -m tests.cluster helm | prepare | up | down | status | images"""

import sys
from collections.abc import Callable, Mapping

from tests.cluster import base_image, finding, stand_ins
from tests.cluster.cluster import NONE_TO_BE_HAD, NoCluster
from tests.cluster.commands import CommandFailed
from tests.cluster.host.processes import ProcessTrouble
from tests.cluster.progress import StepFailed


def prepare() -> int:
    finding.prepare()
    return 0


def helm() -> int:
    finding.prepare_helm()
    return 0


def up() -> int:
    cluster = finding.start()
    print(f"A cluster is up ({cluster.kind}): export KUBECONFIG={cluster.kubeconfig}")
    return 0


def down() -> int:
    finding.stop()
    print("No cluster of ours is left.")
    return 0


def status() -> int:
    cluster = finding.running()
    print(f"{cluster.kind}: {cluster.kubeconfig}" if cluster else "No cluster runs.")
    return 0 if cluster else 1


def images() -> int:
    stand_ins.load_into(finding.start())
    print(f"Loaded: {base_image.TAG} {stand_ins.POSTGRES} {stand_ins.REDIS}")
    return 0


def main(arguments: list[str]) -> int:
    command = _COMMANDS.get(arguments[0]) if len(arguments) == 1 else None
    if command is None:
        print(f"usage: {__doc__}", file=sys.stderr)
        return 2
    try:
        return command()
    except NoCluster as reason:
        print(f"no cluster: {reason}")
        return NONE_TO_BE_HAD
    except (CommandFailed, ProcessTrouble, StepFailed) as trouble:
        print(f"failed: {trouble}")
        return 1


_COMMANDS: Mapping[str, Callable[[], int]] = {
    "helm": helm,
    "prepare": prepare,
    "up": up,
    "down": down,
    "status": status,
    "images": images,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
