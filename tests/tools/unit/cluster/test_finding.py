"""Which cluster is used, and what is said when there is none."""

from pathlib import Path

import pytest

from tests.cluster import __main__ as command
from tests.cluster import finding, kind, programs
from tests.cluster.cluster import NONE_TO_BE_HAD, NoCluster


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the real cluster nor its lock is touched."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in ("KUBECONFIG", "MODELPORT_TEST_KUBECONFIG"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.touch()
    return path


def test_a_given_cluster_comes_first_and_the_tests_own_variable_before_the_common_one(
    kubeconfig: Path,
) -> None:
    found = finding.given({"MODELPORT_TEST_KUBECONFIG": str(kubeconfig), "KUBECONFIG": "/elsewhere"})
    assert found is not None
    assert (found.kind, found.kubeconfig) == ("given", kubeconfig)


def test_a_given_cluster_says_what_it_cannot_do(kubeconfig: Path) -> None:
    found = finding.given({"KUBECONFIG": str(kubeconfig)})
    assert found is not None
    with pytest.raises(NoCluster, match="bring the images into it yourself"):
        found.load_image(Path("image.tar"))


def test_a_given_file_that_is_not_there_is_named() -> None:
    with pytest.raises(NoCluster, match="KUBECONFIG names /nowhere, which is no file"):
        finding.given({"KUBECONFIG": "/nowhere"})


def test_our_own_cluster_given_is_ours_to_start(tmp_path: Path) -> None:
    ours = tmp_path / "state" / "modelport-cluster" / "kubeconfig"
    assert finding.given({"KUBECONFIG": str(ours)}) is None


@pytest.mark.parametrize(
    ("platform", "user", "go", "reason"),
    [("darwin", 0, True, "this is darwin"), ("linux", 1000, True, "not root"), ("linux", 0, False, "no go")],
)
def test_none_to_be_had_is_said_in_one_line_with_an_exit_code_of_its_own(
    platform: str,
    user: int,
    go: bool,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(kind, "possible", lambda: False)
    monkeypatch.setattr(programs, "go_is_there", lambda: go)
    monkeypatch.setattr(finding.sys, "platform", platform)  # type: ignore[attr-defined]
    monkeypatch.setattr(finding.os, "geteuid", lambda: user)  # type: ignore[attr-defined]
    assert command.main(["up"]) == NONE_TO_BE_HAD
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("no cluster: ")
    assert reason in line


def test_unknown_words_get_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["start"]) == 2
    assert "up | down | status | images" in capsys.readouterr().err


def test_status_without_a_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kind, "possible", lambda: False)
    assert command.main(["status"]) == 1
    assert capsys.readouterr().out == "No cluster runs.\n"
