"""What Keras and TensorFlow raise over a file, as a reason and what its owner can do."""

import re

from modelport_runtime.core.types import LoadError, without_paths

_MAX_WORDS = 300
EXPORT = "Export what it computes, model.export('folder'), and upload the folder as a zip."
_FORMS = (
    (
        r"[Ll]ambda",
        "The model holds a Lambda layer, Python code, which is not run here (safe mode). Put layers "
        "of Keras in its place. Or: " + EXPORT,
    ),
    (
        r"Could not locate (?:class|function) '?\"?([\w.>]+)|Unknown (?:layer|object|\w+): '?([\w.>]+)",
        "The model holds {}, a class or function of your own, whose code is not in the file. " + EXPORT,
    ),
    (
        r"safe mode|safe_mode|unsafe",
        "The model holds something that Keras' safe mode does not build. " + EXPORT,
    ),
)
_DAMAGED = re.compile(
    r"zip|truncated|CRC|[Uu]nable to (?:open|synchronously)|JSON|Expecting|file signature|compressed|bomb"
    r"|EOF|end of file"
)


def refusal(error: Exception, library: str) -> LoadError:
    """Return the `LoadError` of what reading a file raised."""
    message = str(error)
    if "OOM when allocating" in message:
        return LoadError("OutOfMemory", "Loading needs more memory than its limit.")
    for pattern, words in _FORMS:
        if found := re.search(pattern, message):
            named = next((group for group in found.groups() if group), "")
            return LoadError("UnsupportedFormat", words.format(named))
    # Keras puts the whole configuration between its own words and the reason.
    inner = re.findall(r"Exception encountered: (.+)", message)
    lines = inner[-1:] or [line.strip() for line in message.splitlines() if line.strip()]
    short = without_paths(lines[0] if lines else type(error).__name__)[:_MAX_WORDS]
    reason = "CorruptArtifact" if _DAMAGED.search(message) else "LoadFailed"
    return LoadError(reason, f"{library} cannot read the file: {short}")
