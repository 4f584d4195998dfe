"""A count and its unit go through one helper, so that nobody reads "1 requests": in sentences and pages."""

import ast
import re
from collections.abc import Iterator

import modelport.cli.output as of_client
import pytest
from modelport_http.wording import counted, plural

from tests.parts import ROOT

PACKAGES = ("client", "control-api", "crds", "gateway", "libs", "model-runtime", "operator", "standalone")
UI = ROOT / "control-api" / "modelport_control_api" / "ui"
UNITS = (
    "attempts|batches|bytes|calls|cells|characters|classes|columns|days|features|fields|files|hours|jobs|keys|labels|"
    "levels|lines|minutes|models|months|nodes|outcomes|pods|predictions|replicas|requests|results|rows|scores|seconds|"
    "sessions|texts|threads|times|tries|users|values|versions|workers|years"
)
# With a word between at most: "12 sampled rows".
BEHIND = rf"\s*(?:</\w+>)?\s+(?:[a-z]+ )?(?:{UNITS})\b(?!/)"
# Of a template, and of a template literal in JavaScript.
MARKUP, SCRIPT = re.compile(r"\}\}" + BEHIND), re.compile(r"\}" + BEHIND)
# Functions that count; what other calls return is text.
FIGURES = {"len", "sum", "round", "abs", "int", "max", "min"}


def loose_counts(source: str) -> Iterator[tuple[int, str]]:
    """Figures of f-strings with a plural behind them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for one, behind in zip(node.values, node.values[1:], strict=False):
                if isinstance(one, ast.FormattedValue) and _is_loose(one, behind):
                    yield one.lineno, f"{{{ast.unparse(one.value)}}}{ast.literal_eval(behind)}"


def _is_loose(figure: ast.FormattedValue, behind: ast.expr) -> bool:
    has_unit = isinstance(behind, ast.Constant) and re.match(BEHIND, str(behind.value)) is not None
    return has_unit and _may_be_one(figure)


def _may_be_one(figure: ast.FormattedValue) -> bool:
    """Not a constant, of which its author knows that it is many, and not 1.0."""
    value = figure.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in FIGURES
    name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
    return not (name.isupper() or "." in ast.unparse(figure.format_spec or ast.Constant("")))


@pytest.mark.parametrize("package", PACKAGES)
def test_counts_in_sentences_go_through_the_helper(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {text}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
        for line, text in loose_counts(path.read_text())
    ]
    assert not found


@pytest.mark.parametrize(("pattern", "loose"), [("*.html", MARKUP), ("*.js", SCRIPT)])
def test_counts_in_pages_go_through_the_helper(pattern: str, loose: re.Pattern[str]) -> None:
    files = [path for path in sorted(UI.rglob(pattern)) if "vendor" not in path.parts]
    assert files
    found = [f"{path.name}: {match[0]}" for path in files for match in loose.finditer(path.read_text())]
    assert not found


def test_the_scans_find_loose_counts() -> None:
    source = 'f"{len(rows)} rows, {MOST} rows, {counted(3, name)} rows, {speed:.1f} times, {done} live rows"'
    assert [text for _, text in loose_counts(source)] == ["{len(rows)} rows, ", "{done} live rows"]
    assert MARKUP.search("<b>{{ used | number }}</b> requests")
    assert SCRIPT.search("`and ${left} more classes`")
    assert not MARKUP.search("{{ speed | number }} rows/s")


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "row", "0 rows"),
        (1, "row", "1 row"),
        (2, "sampled row", "2 sampled rows"),
        (12_345, "request", "12,345 requests"),
        (1, "class", "1 class"),
        (3, "class", "3 classes"),
        (2, "try", "2 tries"),
        (2, "day", "2 days"),
        (10 * 1024**3, "byte", "10,737,418,240 bytes"),
        (1.0, "second", "1 second"),
        (0.1, "second", "0.1 seconds"),
    ],
)
def test_a_count_has_its_unit_in_the_right_number(number: float, noun: str, text: str) -> None:
    """The client imports nothing of the platform: it has a helper of its own, which does the same."""
    assert counted(number, noun) == of_client.counted(number, noun) == text
    assert plural(noun) == of_client.plural(noun)
