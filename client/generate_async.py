"""Write the awaiting half of the SDK from the blocking one, whose methods only hand a flow to a transport.

`resources/` becomes `async_resources/`, and `client.py` `async_client.py`.
"""

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent / "modelport"
_CLASSES = (
    "Account",
    "Events",
    "Experiments",
    "Feedback",
    "Iterator",
    "Jobs",
    "KeptPredictions",
    "Keys",
    "ModelQuality",
    "Models",
    "Modelport",
    "Rollouts",
    "Transport",
    "Users",
    "Versions",
    "Webhooks",
)
_NAMES = {name: f"Async{name}" for name in _CLASSES} | {
    "resources": "async_resources",
    "blocking": "asynchronous",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
}
_WAITS = re.compile(r"\bself\.(?:_transport\.(?:run|download|close)|close)\(")
_METHOD = re.compile(r"^    def .*?(?=^    (?:@|def )|\Z)", re.MULTILINE | re.DOTALL)
_TEXTS = {
    "`Modelport().predict(": "`await AsyncModelport().predict(",
    "Threads may share one object.": "Tasks of one event loop may share one object.",
    "The SDK: one object for one platform.": "The SDK on an event loop: `Modelport`, with methods to await.",
    "Iterate over what was kept": "Iterate (`async for`) over what was kept",
    " `async_resources` is generated from this folder: `make docs`.": "",
}


def generated() -> Iterator[tuple[Path, str]]:
    """Each file that there has to be, and its text."""
    for source in [PACKAGE / "client.py", *sorted((PACKAGE / "resources").glob("*.py"))]:
        name = str(source.relative_to(PACKAGE)).replace("resources/", "async_resources/")
        target = PACKAGE / name.replace("client.py", "async_client.py")
        origin = f"# Generated from {source.relative_to(PACKAGE)} by client/generate_async.py: make docs.\n"
        text = _METHOD.sub(lambda method: _awaiting(method[0]), _renamed(source.read_text(encoding="utf-8")))
        yield target, _formatted(origin + text)


def _renamed(text: str) -> str:
    for blocking, awaiting in _TEXTS.items():
        text = text.replace(blocking, awaiting)
    lines = text.splitlines(keepends=True)
    for token in reversed([*tokenize.generate_tokens(io.StringIO(text).readline)]):
        # In `__all__` they are strings.
        if (name := token.string.strip('"')) in _NAMES:
            line, start, end = token.start[0] - 1, token.start[1], token.end[1]
            lines[line] = lines[line][:start] + token.string.replace(name, _NAMES[name]) + lines[line][end:]
    return "".join(lines)


def _awaiting(method: str) -> str:
    waits = _WAITS.sub(r"await \g<0>", method)
    is_async = waits != method or "def __aenter__" in method
    return waits.replace("    def ", "    async def ", 1) if is_async else method


def _formatted(text: str) -> str:
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        text = subprocess.run(
            [ruff, *command, "--stdin-filename", PACKAGE / "async_client.py", "-"],
            input=text,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    return text


if __name__ == "__main__":
    for path, text in generated():
        path.write_text(text, encoding="utf-8")
