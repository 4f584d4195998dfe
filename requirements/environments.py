"""Lock the environments of the catalogue: `python requirements/environments.py UV [NAME...]`.

Each lock lists wheels only, with hashes and without any registry's name.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

sys.path.insert(0, str(Path(__file__).parents[1] / "libs"))

from modelport_environments.catalogue import BESIDE_OWN, ENVIRONMENTS, Environment


def main(arguments: Sequence[str]) -> int:
    uv, *names = arguments
    known = {**ENVIRONMENTS, BESIDE_OWN.name: BESIDE_OWN}
    for environment in [known[name] for name in names] or known.values():
        print(f"==> {environment.name}", flush=True)
        _lock(uv, environment)
    return 0


def _lock(uv: str, environment: Environment) -> None:
    command = [uv, "pip", "compile", "--quiet", "--python-version", environment.python]
    # Of Linux on x86-64; the hashes are those of all platforms' wheels.
    command += ["--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"]
    with NamedTemporaryFile("w", suffix=".txt") as never:
        # What is required on no platform is left out, with all that it alone would bring.
        never.writelines(f"{name}; python_version < '3'\n" for name in environment.without)
        never.flush()
        text = "\n".join(environment.requirements)
        command += ["--override", never.name, "-", "-o", str(environment.lock)]
        subprocess.run(command, input=text, text=True, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
