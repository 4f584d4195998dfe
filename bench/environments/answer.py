"""Loads files as a version's process does, and compares their answers with the stored ones.

Run by the Python that is to serve them: `python answer.py FOLDER`. `files.json` there lists file, framework,
rows and what their own library answered. Prints JSON: file → `[outcome, message]`, of which the first is
"same", "other", or the reason for which it is refused.
"""

import hashlib
import importlib
import json
import logging
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from modelport_formats.scan import scan
from modelport_runtime.core import backends
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Prediction
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.settings import Settings
from modelport_runtime.worker.loading import Loader

_RELATIVE = 1e-6
_SEEN_BY_ITS_OWN_USERS = SandboxReport(2, "the files are of this bench")
ENDED = "ProcessEnded"
"""In place of a reason: the process of the model ended, which a caller sees as a crash."""

Outcome = tuple[str, str]


def main(folder: Path) -> None:
    listed: dict[str, dict[str, Any]] = json.loads((folder / "files.json").read_text())
    warnings.filterwarnings("ignore")
    logging.disable()
    for framework in sorted({facts["framework"] for facts in listed.values()}):
        backends.prepare(framework)
    _import_what_they_name([folder / name for name in listed])
    print(json.dumps({name: in_a_process(folder / name, facts) for name, facts in listed.items()}))


def _import_what_they_name(files: list[Path]) -> None:
    """Once, and not in the process of each."""
    for module in {"pandas", "skops.io", *(module for file in files for module, _ in scan(file).references)}:
        with suppress(ImportError):
            importlib.import_module(module)


def in_a_process(file: Path, facts: dict[str, Any]) -> Outcome:
    """Return what came of the file in a process of its own, as some files end theirs."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        _answer_and_end(writes, file, facts)
    os.close(writes)
    with os.fdopen(reads) as result:
        text = result.read()
    _, status = os.waitpid(child, 0)
    return tuple(json.loads(text)) if text else (ENDED, f"by {os.waitstatus_to_exitcode(status)}")


def _answer_and_end(writes: int, file: Path, facts: dict[str, Any]) -> NoReturn:
    """Whatever is raised, the copy of the caller ends here."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with os.fdopen(writes, "w") as result:
            json.dump(_with_or_without_a_sample(file, facts), result)
        code = 0
    finally:
        os._exit(code)


def _with_or_without_a_sample(file: Path, facts: dict[str, Any]) -> Outcome:
    """A file that needs a row to be understood says so, and gets one."""
    alone = _outcome(file, facts, None)
    return alone if alone[0] in ("same", "other") else _outcome(file, facts, {"input": facts["rows"][0]})


def _outcome(file: Path, facts: dict[str, Any], sample: dict[str, Any] | None) -> Outcome:
    loader = loader_of(file, facts["framework"], sample)
    engine = loader.run()
    if engine is None:
        failed = json.loads(loader.document(None))
        return failed["reason"], failed["message"]
    return _compared(engine, facts)


def loader_of(file: Path, framework: Any, sample: dict[str, Any] | None) -> Loader:
    """Return what loads the file as the process of a version does."""
    settings = Settings(
        model="m",
        version="v1",
        framework=framework,
        artifact=file,
        artifact_sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        sample=sample,
    )
    return Loader(settings, _SEEN_BY_ITS_OWN_USERS, lambda: ())


def _compared(engine: Engine, facts: dict[str, Any]) -> Outcome:
    asked = [name for name in ("prediction", "probabilities") if name in engine.signature.outputs]
    body = json.dumps({"inputs": _rows(engine, facts["rows"]), "return": asked}).encode()
    (answer,) = engine.predict_many([Call("native", body)])
    if not isinstance(answer, Prediction):
        return "ModelError", str(answer)[:300]
    found = json.loads(answer.body)
    given, stored = found["predictions"], facts["predictions"]
    shares = found.get("probabilities", ())
    if shares and isinstance(stored[0], list) and len(stored[0]) > 1 and not isinstance(given[0], list):
        # Networks and some models of statistics compute shares, of which the runtime makes the class.
        given = shares
    if not _alike(given, stored):
        return "other", f"predictions {_first(given, stored)}"
    if "probabilities" in facts and shares and not _alike(shares, facts["probabilities"]):
        return "other", f"probabilities {_first(shares, facts['probabilities'])}"
    return "same", ""


def _rows(engine: Engine, rows: list[Any]) -> list[Any]:
    """Of rows that were made for several models, what this one takes."""
    columns = engine.signature.columns
    if columns is None or engine.signature.positional or not isinstance(rows[0], dict):
        return rows
    return [{each.name: row[each.name] for each in columns if each.name in row} for row in rows]


def _first(found: list[Any], stored: list[Any]) -> str:
    unlike = (pair for pair in zip(found, stored, strict=False) if not _alike(*pair))
    return "{} for {}".format(*next(unlike, (f"{len(found)} rows", f"{len(stored)}")))


def _alike(found: Any, stored: Any) -> bool:
    if isinstance(stored, list) and len(stored) == 1 and not isinstance(found, list):
        return _alike(found, stored[0])
    if isinstance(found, dict) and not isinstance(stored, dict | list):
        # Of a label that is or is not, libraries return the one share.
        return _alike(list(found.values())[-1], stored)
    if isinstance(found, dict):
        by_name = isinstance(stored, dict) and stored.keys() == found.keys()
        there = [stored[name] for name in found] if by_name else stored
        return _alike(list(found.values()), there)
    if isinstance(stored, list):
        return isinstance(found, list) and len(found) == len(stored) and all(map(_alike, found, stored))
    if isinstance(found, str | None) or isinstance(stored, str | None):
        return bool(found == stored)
    return bool(found == stored) or abs(found - stored) <= _RELATIVE * max(1.0, abs(stored))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
