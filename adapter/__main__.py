"""`python -m adapter` is the command `intyg`."""

from adapter.cli import main

main()
