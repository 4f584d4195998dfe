"""Lines of a real process: logging is set up once for a whole process."""

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import logging, structlog
from modelport_process.logging import configure
from modelport_process.logging import current_request_id

configure("gateway", "info")
log = structlog.get_logger("x")
log.debug("not shown")
log.info("started", port=8000, odd={1, })
current_request_id.set("r1")
log.warning("slow", seconds=1.5)
logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
logging.getLogger("uvicorn.access").info("GET /predict?key=secret")
logging.getLogger("httpx").info("GET http://x/?key=secret")
try:
    password = "hunter2"
    raise ValueError("bad")
except ValueError:
    log.exception("failed")
    logging.getLogger("library").exception("failed too")
"""


def lines() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_line_is_json_with_part_level_time_and_request_id() -> None:
    found = lines()
    assert [line["event"] for line in found] == [
        "started",
        "slow",
        "Started server process [7]",
        "failed",
        "failed too",
    ]
    started, slow, uvicorn, failed, library = found
    assert all(line["part"] == "gateway" and line["timestamp"].endswith("Z") for line in found)
    assert (started["request_id"], started["port"], started["level"]) == ("-", 8000, "info")
    assert (slow["request_id"], slow["level"]) == ("r1", "warning")
    assert (uvicorn["logger"], uvicorn["request_id"]) == ("uvicorn.error", "r1")
    for line in (failed, library):
        assert "ValueError: bad" in line["exception"]
    assert "secret" not in json.dumps(found)


def test_a_trace_shows_no_variables() -> None:
    assert not any("password': 'hunter2" in json.dumps(line) for line in lines())
