"""How containers end, in words."""

import pytest
from modelport_crds.endings import ending_words, log_words


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ({"exitCode": 3}, "ended by itself (exit code 3)"),
        ({"exitCode": 139}, "was ended by signal 11 (SIGSEGV)"),
        ({"exitCode": 137, "signal": 9}, "was ended by signal 9 (SIGKILL)"),
        ({"exitCode": -11}, "was ended by signal 11 (SIGSEGV)"),
    ],
)
def test_an_end_has_a_name(ended: dict[str, int], words: str) -> None:
    assert ending_words(ended) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ImportError: libgomp.so.1", "ImportError: libgomp.so.1"),
        (
            '{"level": "error", "event": "load_failed", "detail": "no such module"}',
            "load failed: no such module",
        ),
        ('{"event": "sandboxed", "sandbox_level": 2}', "sandboxed"),
        ("[1, 2]", "[1, 2]"),
        ('{"a": 1}', ""),
        ('{"event": ', '{"event": '),
    ],
)
def test_a_line_of_a_log_becomes_plain_words(line: str, words: str) -> None:
    assert log_words(line) == words
