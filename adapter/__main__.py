"""The command `intyg`, also as `python -m intyg.adapter`."""

import signal
import sys


def main() -> None:
    """Entry point of the command."""
    if sys.argv[1:] in (["-h"], ["--help"]):
        from intyg.adapter.cli.commands import help_text

        print(help_text())  # noqa: T201  what the command would say, without importing it
        return
    if sys.argv[1:2] == ["serve"]:
        # Importing takes a moment, and a process may be told then that files have changed. It is
        # to read them after that anyway.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from intyg.adapter.cli.main import main as command

    command()


if __name__ == "__main__":
    main()
