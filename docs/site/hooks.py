"""mkdocs beyond mkdocs.yml: pages from outside of docs/, and no script within a page."""

import hashlib
import os.path
import posixpath
import re
import shutil
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
# From the repository's root, to their place in the site.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    **{
        str(file.relative_to(ROOT)): str(file.relative_to(ROOT))
        for pattern in ("*.md", "*.svg")
        for file in (ROOT / "bench").glob(pattern)
    },
    "control-api/modelport_control_api/ui/static/logo.svg": "assets/logo.svg",
    "docs/site/site.css": "assets/site.css",
}
_INSIDE_OUT = {there: here for here, there in OUTSIDE.items()}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
_REASON = re.compile(r"^### `(\w+)`$", re.MULTILINE)
_INLINE_SCRIPT = re.compile(r"<script>(.+?)</script>", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the decisions: each one's page would otherwise have to be named in mkdocs.yml."""
    explanation = next(section["Explanation"] for section in config.nav or [] if "Explanation" in section)
    decisions = next(section["Decisions"] for section in explanation if "Decisions" in section)
    decisions += [f"decisions/{file.name}" for file in sorted((ROOT / "docs/decisions").glob("0*.md"))]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for here, there in OUTSIDE.items():
        files.append(File.generated(config, there, abs_src_path=str(ROOT / here)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links between the repository's files to the site's pages; a reason's anchor is its very name."""
    there = page.file.src_uri
    folder = posixpath.dirname(_INSIDE_OUT.get(there, f"docs/{there}"))

    def linked(found: re.Match[str]) -> str:
        image, text, target, anchor = found.groups(default="")
        page_of_it = _page_of(posixpath.normpath(posixpath.join(folder, target)))
        if page_of_it is None:
            # A file of the source: the site has none of those.
            return text
        relative = posixpath.relpath(page_of_it, posixpath.dirname(there) or ".")
        return f"{image}[{text}]({relative}{anchor})"

    return _REASON.sub(r"### `\1` { #\1 }", _LINK.sub(linked, markdown))


def _page_of(path: str) -> str | None:
    for candidate in (path, f"{path}/README.md"):
        if candidate in OUTSIDE:
            return OUTSIDE[candidate]
        if candidate.startswith("docs/") and candidate.endswith(".md"):
            return candidate.removeprefix("docs/")
    return None


def on_post_build(config: MkDocsConfig) -> None:
    """Move scripts out of the pages, into files: the policy that /help is served with allows no others."""
    site = Path(config.site_dir)
    _leave_out_what_nobody_loads(site)
    for page in site.rglob("*.html"):
        is_lost = page.name == "404.html"
        _move_scripts(page, site, "/help" if is_lost else os.path.relpath(site, page.parent))


def _move_scripts(page: Path, site: Path, base: str) -> None:
    def moved(found: re.Match[str]) -> str:
        return _moved(site, base, found.group(1))

    text = page.read_text()
    if base == "/help":
        # It is shown at any address, and so names its files from the top.
        text = re.sub(r'"/(?!>)', '"/help/', text)
    page.write_text(_INLINE_SCRIPT.sub(moved, text))


def _moved(site: Path, base: str, script: str) -> str:
    name = f"assets/javascripts/inline.{hashlib.sha256(script.encode()).hexdigest()[:8]}.min.js"
    (site / name).write_text(script)
    return f'<script src="{base}/{name}"></script>'


def _leave_out_what_nobody_loads(site: Path) -> None:
    """Search in other languages, the scripts' sources, and a map of addresses without the platform's host."""
    shutil.rmtree(site / "assets/javascripts/lunr")
    for file in (*site.rglob("*.map"), *site.glob("sitemap.xml*")):
        file.unlink()
