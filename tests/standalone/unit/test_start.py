"""The start of `modelport up`: models' processes come first."""

import subprocess
import sys


def test_models_are_started_before_what_serves_requests_is_imported() -> None:
    code = "import sys, modelport_standalone.running; sys.exit('modelport_standalone.apps' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
