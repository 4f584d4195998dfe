"""`python -m modelport`: the command where its script is not on PATH."""

from modelport.cli import main

main()
