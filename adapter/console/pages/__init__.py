"""The console's pages: what an adapter does, for people."""

from intyg.adapter.console.pages.doctor import Doctor, Looked
from intyg.adapter.console.pages.site import ConsoleSite, build_console_site

__all__ = ["ConsoleSite", "Doctor", "Looked", "build_console_site"]
