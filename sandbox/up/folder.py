"""The folder of `make up`: what is in it, beside the database and the test patients."""

from dataclasses import dataclass
from pathlib import Path

from intyg.adapter.cli.options import UP


@dataclass(frozen=True)
class UpFolder:
    """
    Its files.

    Attributes:
        scripts: Conversations that its mocks hold by themselves.
        rules: Behaviour rules that its mocks have from the start.
        sample: A signed certificate in its envelope.
        send_sample: The request that has it sent to Försäkringskassan.
        intygs_id: Its id, alone on a line.
    """

    path: Path

    @property
    def scripts(self) -> Path:
        return self.path / "scripts"

    @property
    def rules(self) -> Path:
        return self.path / "rules"

    @property
    def sample(self) -> Path:
        return self.path / "fk7804.xml"

    @property
    def send_sample(self) -> Path:
        return self.path / "send-fk7804.xml"

    @property
    def intygs_id(self) -> Path:
        return self.path / "intygs-id"

    def make(self) -> None:
        """Raises OSError where it cannot be written."""
        for folder in (self.scripts, self.rules):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def how_to_stop(self) -> str:
        """What stops its process, from any terminal."""
        return "`make down`" if self.path == UP else f"`make down FOLDER={self.path}`"
