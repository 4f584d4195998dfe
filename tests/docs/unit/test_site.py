"""The site of /help: built strictly, so that no link or page is lost, and offline."""

import inspect
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import modelport.resources
import pytest
from modelport_crds.reasons import Reason
from modelport_http.problem import REASONS_PAGE

from tests.support.built_help import build_help


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_help(tmp_path_factory.mktemp("site"))


def test_every_reason_has_the_anchor_that_a_problem_names(site: Path) -> None:
    page = (site / REASONS_PAGE.removeprefix("/help/") / "index.html").read_text()
    assert [reason for reason in Reason if page.count(f'id="{reason}"') != 1] == []


def methods() -> Iterator[str]:
    """All but those of `AsyncModelport`, which are the same."""
    for module in (modelport, modelport.resources):
        for name in module.__all__:
            yield f"{module.__name__}.{name}"
            members = inspect.getmembers(getattr(module, name), inspect.isfunction)
            public = (method for method, _ in members if not method.startswith("_") and method != "from_json")
            if name != "AsyncModelport":
                yield from (f"{module.__name__}.{name}.{method}" for method in public)


def test_every_method_of_the_sdk_is_in_its_page(site: Path) -> None:
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    documented = {line.split()[0] for line in zlib.decompress(inventory).decode().splitlines() if line}
    assert sorted(set(methods()) - documented) == []


def test_a_page_loads_nothing_from_elsewhere_and_holds_no_script_or_style(site: Path) -> None:
    """What the policy of /help would refuse."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        text = page.read_text()
        loaded = re.findall(r'<(?:script|img|iframe)\b[^>]*\bsrc="([^"]+)"', text)
        loaded += re.findall(r'<link\b[^>]*\bhref="([^"]+)"', text)
        assert not [address for address in loaded if "//" in address], page
        assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", text), page
        assert all((page.parent / address).exists() for address in loaded if not address.startswith("/")), (
            page
        )


def test_the_page_for_what_is_not_there_names_its_files_from_the_top(site: Path) -> None:
    text = (site / "404.html").read_text()
    named = re.findall(r'"(/[^">]*)"', text)
    assert named
    for address in named:
        assert (site / address.removeprefix("/help/")).exists(), address
