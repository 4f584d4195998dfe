"""docs/tutorial.md, typed from top to bottom by somebody who has just started the platform."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TUTORIAL = (Path(__file__).parents[3] / "docs" / "tutorial.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(new_platform: Any, tmp_path: Path) -> Iterator[Any]:
    """Run a line in the folder and the environment that the tutorial's reader has."""
    platform = new_platform().start()
    environment = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "MODELPORT_URL": platform.url,
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
    }

    def run(line: str) -> str:
        ended = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert ended.returncode == 0, f"{line}: {ended.stdout}{ended.stderr}"
        return ended.stdout + ended.stderr

    yield run
    platform.stop()


def test_every_line_does_what_it_says(shell: Any, tmp_path: Path) -> None:
    (code,) = blocks("python")
    (tmp_path / "train.py").write_text(code)
    train, upload, *lines = [line for block in blocks("bash") for line in block.splitlines()]
    shell(train)
    model_id = re.search(r"Uploaded as (\S+)\.", shell(upload))
    assert model_id
    printed = {line: shell(line.replace("MODEL", model_id[1])) for line in lines}
    said = {line.split()[1]: text for line, text in printed.items()}
    assert "setosa" in said["predict"]
    assert (tmp_path / "results.csv").read_text().count("setosa") == 20
    assert "v2" in said["versions"]
    assert "v1" in said["rollback"]
