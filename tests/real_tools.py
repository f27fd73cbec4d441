"""Other people's tools in tests: `.ci/run` installs them, elsewhere they may be missing."""

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

JAXWS_JARS: Final = Path("/usr/share/java")
"""Where Debian's package `jaxws` has them."""

JAVA: Final = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""As it starts fastest: nothing here runs long enough to be worth compiling well."""


def need(package: str, *programs: str, files: tuple[Path, ...] = ()) -> None:
    """
    Skip the test, and say so, where a tool is missing; where everything must be tried, fail.

    Args:
        package: The Debian package that has it.
        programs: That must be on the path.
        files: That must be there.
    """
    missing = [program for program in programs if shutil.which(program) is None]
    missing += [str(path) for path in files if not path.exists()]
    if not missing:
        return
    reason = f"{', '.join(missing)} NOT TRIED: not here; Debian has it in `{package}`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need_jaxws() -> None:
    """JAX-WS with its `wsimport`, and a JDK that runs it."""
    need("jaxws", "wsimport", files=(JAXWS_JARS / "jaxws-tools.jar",))
    need("default-jdk-headless", "java", "javac")
