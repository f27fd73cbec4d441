"""A reader's shell, where nothing has been laid out beforehand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.shell import Shell, shell_in_a_clone


@pytest.fixture
def shell(tmp_path: Path, intyg_command: Path) -> Iterator[Shell]:
    with shell_in_a_clone(tmp_path, intyg_command) as opened:
        yield opened
