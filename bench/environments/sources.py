"""Where the matrix has its files from: a folder for each row, with what their own library answered."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from modelport_environments.catalogue import find
from modelport_environments.choice import OF_SKLEARN
from modelport_environments.uv import find_uv
from modelport_standalone.environments.store import EnvironmentStore, default_folder

_HERE = Path(__file__).parent
_VERSIONS = _HERE / "boosters.txt"
_PYTHON = "3.11"
_FIXTURES = _HERE.parents[1] / "tests" / "fixtures"
_STORED = {
    "catboost": "catboost",
    "jax": "jax",
    "river": "river",
    "statsmodels-0.14": "statsmodels/old",
    "statsmodels-0.15": "statsmodels/new",
    "tensorflow": "tensorflow",
    "torch": "torch",
}
_MLP = ("dynamic.pt2", "fixed.pt2", "cast.pt2", "script.pt")
"""One network, in all the forms that it may have."""

Fill = Callable[[Path], None]
"""Writes the files of a row, and `answers.json`, into an empty folder."""


def rows() -> Mapping[str, Fill]:
    """Return what fills a folder, by the row's name."""
    trained = {name: partial(_train_estimators, name) for name in (*OF_SKLEARN, _own_sklearn())}
    lines = [line for line in _VERSIONS.read_text().splitlines() if line[:1] not in ("#", "")]
    boosters = {_name(line): partial(_train_boosters, line) for line in lines}
    return {**trained, **boosters, **{name: partial(_stored, name) for name in _STORED}}


def python_of(environment: str) -> Path:
    """Return an environment's Python, which is made if it is not there. Raises EnvironmentUnavailable."""
    return EnvironmentStore(default_folder()).prepare(find(environment))


def _own_sklearn() -> str:
    """The platform's own, which has no environment."""
    return f"sklearn-{version('scikit-learn').rpartition('.')[0]}"


def _name(line: str) -> str:
    """`xgboost-cpu==2.1.4 …` is `xgboost-2.1.4`."""
    library, _, release = line.partition(" ")[0].partition("==")
    return f"{library.removesuffix('-cpu')}-{release}"


def _train_estimators(environment: str, folder: Path) -> None:
    python = Path(sys.executable) if environment == _own_sklearn() else python_of(environment)
    subprocess.run([python, "-I", _HERE / "train.py", folder], check=True)


def _train_boosters(line: str, folder: Path) -> None:
    python = _made(line)
    library = _name(line).partition("-")[0]
    subprocess.run([python, "-I", _HERE / "train_boosters.py", folder, library], check=True)


def _stored(name: str, folder: Path) -> None:
    """The files that the nightly tests serve, with the answers beside them."""
    saved = _FIXTURES / _STORED[name]
    read = json.loads((saved / "answers.json").read_text(encoding="utf-8"))
    if name == "torch":
        answers = {
            "mlp": {"rows": read["rows"], "predictions": read["mlp"], "files": {each: each for each in _MLP}}
        }
    else:
        # Those with several outputs have a name for each in place of a prediction.
        alone = {kind: facts for kind, facts in read.items() if not isinstance(facts.get("answers"), dict)}
        answers = {kind: _facts(saved, kind, facts) for kind, facts in alone.items()}
    for file in (file for facts in answers.values() for file in facts["files"].values()):
        shutil.copy(saved / file, folder / file)
    (folder / "answers.json").write_text(json.dumps(answers))


def _facts(saved: Path, kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    files = {path.suffix[1:]: path.name for path in saved.glob(f"{kind}.*")}
    predictions = facts.get("prediction", facts.get("answers"))
    shares = {"probabilities": facts["probabilities"]} if "probabilities" in facts else {}
    return {"rows": facts["rows"], "predictions": predictions, **shares, "files": files}


def _made(line: str) -> Path:
    """No version is served in it: it is kept beside the environments, until somebody removes it."""
    folder = default_folder().parent / "bench-boosters" / _name(line)
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        uv = find_uv()
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", _PYTHON, folder], check=True)
        install: list[str | Path] = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--only-binary",
            ":all:",
            "--python",
            python,
        ]
        subprocess.run([*install, *line.split(" ")], check=True)
        (folder / "whole").touch()
    return python
