"""`python -m modelport_standalone OPTION…`: `modelport up` where the `modelport` command is not installed."""

import sys

from modelport_standalone.cli import up

sys.exit(up(sys.argv[1:]))
