"""`python -m tests.slowest [FOLDER]`: which files took most processor time in the last `make test`.

Processor time is a test's own, and that of processes which it started and saw end: a pod's is not in it.
"""

import os
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from tests.support.processor_time import PROPERTY

_MOST = 40


def main() -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else cache / "modelport" / "logs" / "last-test-run"
    files = sorted(folder.glob("*.xml"))
    if not files:
        raise SystemExit(f"There is no record of a test run in {folder}: `make test` leaves one.")
    for file in files:
        _print(file)


def _print(file: Path) -> None:
    processor: Counter[str] = Counter()
    elapsed: Counter[str] = Counter()
    for case in ElementTree.parse(file).iter("testcase"):
        name = case.get("classname", "")
        elapsed[name] += float(case.get("time", 0))
        for each in case.iterfind(f"properties/property[@name='{PROPERTY}']"):
            processor[name] += float(each.get("value", 0))
    print(f"{file.stem}: {processor.total():.0f} s of processor time, {elapsed.total():.0f} s elapsed")
    for name, seconds in processor.most_common(_MOST):
        print(f"{seconds:8.1f} {elapsed[name]:8.1f}  {name}")


if __name__ == "__main__":
    main()
