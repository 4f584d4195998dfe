"""A browser's own long name in words that its owner recognises."""

import re

# In this order: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edge", r"\bEdgA?/"),
    ("Opera", r"\bOPR/"),
    ("Firefox", r"\bFirefox/"),
    ("Chrome", r"\b(?:Headless)?Chrom(?:e|ium)/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b"),
    ("Linux", r"\bLinux\b"),
)


def describe(user_agent: str | None) -> str:
    """`Firefox on Linux`; what cannot be told is left out."""
    browser, system = (_first(user_agent or "", names) for names in (_BROWSERS, _SYSTEMS))
    return f"{browser or 'A browser'}{f' on {system}' if system else ''}"


def _first(text: str, names: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for name, pattern in names if re.search(pattern, text)), None)
