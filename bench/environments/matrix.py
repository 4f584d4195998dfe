"""Every estimator of every environment, served in its own environment and by the platform's own libraries.

`python -m bench.environments.matrix [NAME...]` rewrites `bench/environments.md`, and the list of what only
its own environment serves, by which uploads are sent there.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from modelport_environments.catalogue import Environment, find
from modelport_environments.choice import OF_SKLEARN, OWN_ONLY
from modelport_standalone.environments.store import EnvironmentStore, default_folder

_HERE = Path(__file__).parent
_REPORT = _HERE.parent / "environments.md"
_HEAD = """# Environments

Each estimator of scikit-learn that fits with its defaults, and ten compositions, trained by each version.
Ten rows each; *same*: every prediction is that of its own library (1e-6, equal labels).
`make bench-environments` rewrites this.

| saved in | models | same in it | same with the platform's libraries | refused there | other there |
|---|---:|---:|---:|---:|---:|
"""


@dataclass(frozen=True)
class Outcomes:
    """Model → `same`, `other` or why it was refused; `own`: in its environment, `here`: with ours."""

    own: dict[str, str]
    here: dict[str, str]

    def only_own(self) -> list[str]:
        return sorted(name for name in self.own if self.own[name] == "same" != self.here[name])


def main(names: Sequence[str]) -> None:
    chosen = [find(name) for name in names or OF_SKLEARN]
    found = {environment.name: _measure(environment) for environment in chosen}
    if not names:
        _REPORT.write_text(
            _HEAD + "".join(_row(*each) for each in found.items()) + _notes(found), encoding="utf-8"
        )
        lists = {
            name: [each for each in outcomes.only_own() if each.isidentifier()]
            for name, outcomes in found.items()
        }
        OWN_ONLY.write_text(json.dumps(lists, indent=2) + "\n", encoding="utf-8")


def _measure(environment: Environment) -> Outcomes:
    python = EnvironmentStore(default_folder()).prepare(environment)
    with TemporaryDirectory() as folder:
        subprocess.run([python, "-I", _HERE / "train.py", folder], check=True)
        outcomes = Outcomes(_answers(python, folder), _answers(Path(sys.executable), folder))
    print(_row(environment.name, outcomes), end="", flush=True)
    return outcomes


def _answers(python: Path, folder: str) -> dict[str, str]:
    command: list[str | Path] = [python, "-I", _HERE / "answer.py", folder]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    outcomes: dict[str, str] = json.loads(shown.stdout)
    return outcomes


def _row(name: str, outcomes: Outcomes) -> str:
    own, here = list(outcomes.own.values()), list(outcomes.here.values())
    refused = len(here) - here.count("same") - here.count("other")
    cells = [f"`{name}`", len(own), own.count("same"), here.count("same"), refused, here.count("other")]
    return f"| {' | '.join(map(str, cells))} |\n"


def _notes(found: dict[str, Outcomes]) -> str:
    lines = ["", "What is not the same in its own environment:", ""]
    for name, outcomes in found.items():
        left = [f"{model} ({how})" for model, how in outcomes.own.items() if how != "same"]
        lines.append(f"- `{name}`: {', '.join(left) or 'nothing'}.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
