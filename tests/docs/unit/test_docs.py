"""Docs that fail the build when they lag behind the code."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")


def load_generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SENTENCES = load_generator("sentences")
GENERATED = {
    "reasons.md": "generate",
    "settings.md": "generate",
    "other-versions.md": "generate",
    "cli.md": "generate_reference",
    "metrics.md": "generate_reference",
}


@pytest.mark.parametrize("page", GENERATED)
def test_generated_pages_are_current(page: str) -> None:
    rendered = load_generator(GENERATED[page]).PAGES[page]()
    assert (ROOT / "docs" / page).read_text() == SENTENCES.reflowed(rendered), "run `make docs`"


@pytest.mark.parametrize("page", SENTENCES.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_line_holds_one_sentence(page: Path) -> None:
    text = page.read_text()
    assert text == SENTENCES.reflowed(text), "run `make docs`"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two\nthree! `four` five? [Six.](a.md) (Seven. Eight.) Nine", 6),
        ("It takes 1.5 s, e.g. for A. Einstein at `a. B` or [no. End](x). 1. is no list", 1),
    ],
)
def test_a_sentence_ends_where_the_next_begins(text: str, sentences: int) -> None:
    assert len([*SENTENCES.split(text)]) == sentences


def test_what_is_no_prose_stays_as_it_is() -> None:
    blocks = [
        "- One.\n  Two",
        "      A. B",
        "```\nA. B\n```",
        "| A. B |\n|---|",
        "<!-- x -->\nA. B\n<!-- end -->",
    ]
    page = "\n\n".join(blocks)
    assert SENTENCES.reflowed(page) == page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not missing


def test_make_prints_an_index_of_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    documented = set(re.findall(r"^([a-z0-9-]+):.*##", makefile, re.MULTILINE))
    assert documented == set(phony.group(1).split())
