"""Every file of the matrix, served where an upload would run it: with its own library's answers or refused.

`python -m bench.environments.matrix [ROW...]` measures these rows (all of them, if none is named), and
rewrites `bench/environments.md` and the list of what only an environment of its own serves, by which uploads
are sent there. It ends with 1 where a file was neither served as it was saved nor refused for a right reason.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from modelport_control_api.errors import DomainError
from modelport_control_api.registry.environments import needed_by
from modelport_control_api.sniff.detect import detect_framework
from modelport_environments.choice import OF_XGBOOST, environment_of, own_of
from modelport_formats.scan import Scan, scan

from bench.environments import report, sources
from bench.environments.report import HERE, Outcome, Row, Served, row_of

_ANSWER = Path(__file__).with_name("answer.py")
_OWN_BY = "joblib"
"""The format by which it is measured what only a scikit-learn of its own serves."""


def main(names: Sequence[str]) -> int:
    fills = sources.rows()
    unknown = set(names) - set(fills)
    if unknown:
        print(f"No rows: {', '.join(sorted(unknown))}. There are {', '.join(fills)}.", file=sys.stderr)
        return 2
    third = []
    for name in names or fills:
        with TemporaryDirectory() as folder:
            fills[name](Path(folder))
            row = _measure(name, Path(folder))
        report.keep(name, row, fills)
        print(report.line(name, row), end="", flush=True)
        third += [f"{name}: {each}" for each in row.third]
    print(*third, sep="\n", file=sys.stderr)
    return 1 if third else 0


def _measure(row: str, folder: Path) -> Row:
    listed, refused = _listed(row, folder)
    scans = {name: scan(folder / name) for name in listed}
    places = {
        name: needed_by(folder / name, facts["framework"], choose_by_file=True) or HERE
        for name, facts in listed.items()
    }
    outcomes = {
        HERE: _answers(
            HERE, folder, {name: facts for name, facts in listed.items() if not _is_elsewhere(facts)}
        )
    }
    for place in sorted({own for name in listed for own in _owns(name, listed, scans, places)}):
        files = {name: facts for name, facts in listed.items() if place in _owns(name, listed, scans, places)}
        outcomes[place] = _answers(place, folder, files)
    served = [
        Served(name, row, facts["kind"], facts["format"], places[name], outcomes[places[name]][name])
        for name, facts in listed.items()
    ]
    return row_of([*served, *refused], _only_own(outcomes, listed, scans))


def _listed(row: str, folder: Path) -> tuple[dict[str, Any], list[Served]]:
    """Return what the upload of each file goes by, and what it refuses."""
    listed, refused = {}, []
    for kind, facts in json.loads((folder / "answers.json").read_text()).items():
        answers = {key: value for key, value in facts.items() if key not in ("files", "of_files")}
        for form, name in facts["files"].items():
            try:
                framework = detect_framework(folder / name)
            except DomainError as error:
                refused.append(Served(name, row, kind, form, HERE, (type(error).__name__, str(error))))
                continue
            own = facts.get("of_files", {}).get(form, {})
            listed[name] = {**answers, **own, "framework": framework, "kind": kind, "format": form}
    return listed, refused


def _is_elsewhere(facts: Mapping[str, Any]) -> bool:
    return environment_of(facts["framework"]) is not None


def _owns(
    name: str, listed: Mapping[str, Any], scans: Mapping[str, Scan], places: Mapping[str, str]
) -> set[str]:
    """Return the environments that a file is tried in, beside the platform's libraries."""
    found = scans[name]
    tried = {places[name]}
    facts = listed[name]
    if facts["framework"] == "sklearn" and facts["format"] == _OWN_BY and facts["kind"].isidentifier():
        tried.add(own_of(found.versions) or HERE)
    if found.traits:
        release = found.versions.get("xgboost", "").rpartition(".")[0]
        tried |= {own for own, releases in OF_XGBOOST.items() if release in releases}
    return tried - {HERE}


def _answers(place: str, folder: Path, files: Mapping[str, Any]) -> dict[str, Outcome]:
    if not files:
        return {}
    (folder / "files.json").write_text(json.dumps(files))
    python = Path(sys.executable) if place == HERE else sources.python_of(place)
    # One thread: files are loaded in forks, and a pool of threads survives none.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command: list[str | Path] = [python, "-I", _ANSWER, folder]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    outcomes: dict[str, Outcome] = {name: tuple(each) for name, each in json.loads(shown.stdout).items()}
    return outcomes


def _only_own(
    outcomes: Mapping[str, Mapping[str, Outcome]], listed: Mapping[str, Any], scans: Mapping[str, Scan]
) -> dict[str, list[str]]:
    """Return environment → classes and traits of the files that it alone serves as they were saved."""
    only: dict[str, list[str]] = {}
    for place, found in outcomes.items():
        here = outcomes[HERE]
        files = [name for name in found if found[name][0] == "same" != here.get(name, ("same", ""))[0]]
        names = {each for name in files for each in _named(listed[name], scans[name])}
        only[place] = sorted(names)
    return {place: names for place, names in only.items() if place != HERE}


def _named(facts: Mapping[str, Any], found: Scan) -> Collection[str]:
    return found.traits or ([facts["kind"]] if facts["kind"].isidentifier() else [])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
