"""bench/results.svg: bars of requests a second at 100 connections, one panel a model."""

from pathlib import Path

from bench.predictions.groups import CONSTANT, NAIVE, ORIGINAL, RUNTIME, TOGETHER
from bench.predictions.peers_group import PEERS
from bench.results import Results

FILE = Path(__file__).parents[1] / "results.svg"
_WIDTH, _LABELS, _BAR, _GAP, _TOP = 760, 200, 18, 6, 34
_OURS, _THEIRS, _LIMIT = "#2563eb", "#94a3b8", "#cbd5e1"
_MODELS = {"iris": "iris, logistic regression", "forest": "breast cancer, 100 trees"}
_PATHS = (*PEERS, NAIVE, TOGETHER, ORIGINAL, RUNTIME, CONSTANT)
_STYLE = "text{font:12px system-ui,sans-serif;fill:#0f172a}.h{font-weight:600}"


def write(results: Results) -> None:
    panels = [(title, _bars(results, model)) for model, title in _MODELS.items()]
    height, drawn = 8, []
    for title, bars in panels:
        if bars:
            drawn += _panel(title, bars, height)
            height += _TOP + len(bars) * (_BAR + _GAP) + 12
    FILE.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'role="img" aria-label="Requests a second on one core at 100 connections">\n'
        f'<style>{_STYLE}</style>\n<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _bars(results: Results, model: str) -> list[tuple[str, float]]:
    """Path and requests a second; of a path in two groups, the one that was measured beside the peers."""
    bars = []
    for path in _PATHS:
        for group in ("peers", "together", "runtime"):
            figure = results.one(group, path, model=model, rows=1, connections=100)
            if figure:
                bars.append((path, figure.rate))
                break
    return bars


def _panel(title: str, bars: list[tuple[str, float]], top: int) -> list[str]:
    scale = (_WIDTH - _LABELS - 90) / max(rate for _, rate in bars)
    drawn = [f'<text class="h" x="8" y="{top + 16}">{title}: requests/s, one core, 100 connections</text>']
    for number, (path, rate) in enumerate(bars):
        y, width = top + _TOP + number * (_BAR + _GAP) - 6, rate * scale
        drawn += [
            f'<text x="{_LABELS - 8}" y="{y + 13}" text-anchor="end">{path}</text>',
            f'<rect x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2" fill="{_color(path)}"/>',
            f'<text x="{_LABELS + width + 6:.1f}" y="{y + 13}">{rate:,.0f}</text>',
        ]
    return drawn


def _color(path: str) -> str:
    if path == CONSTANT:
        return _LIMIT
    return _OURS if path in (TOGETHER, ORIGINAL, RUNTIME) else _THEIRS
