"""A version's log as users read it."""

from modelport_control_api.ui.models.upload import readable


def test_the_runtimes_lines_are_words_and_its_traces_lines() -> None:
    log = (
        '{"time": "2026-11-25T20:35:28.119+00:00", "level": "warning", "event": "load_failed", '
        '"trace": "Traceback:\\n  line 1\\nValueError: no"}\nprinted by the model\n{"not": "ours"}'
    )

    assert readable(log).splitlines() == [
        "20:35:28 warning load_failed",
        "Traceback:",
        "  line 1",
        "ValueError: no",
        "printed by the model",
        '{"not": "ours"}',
    ]
