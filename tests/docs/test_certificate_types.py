"""The pages about certificate types: made from the files."""

from typing import Final

from intyg.schemas.export.pages import pages as made_pages
from intyg.schemas.typefile.lookup import IntygTypes
from tests.docs import pages
from tests.docs.pages import ROOT

CERTIFICATES: Final = ROOT / "docs/certificates"


def test_pages_are_those_that_the_files_make() -> None:
    wanted = made_pages(IntygTypes())
    assert sorted(wanted) == sorted(path.name for path in CERTIFICATES.iterdir())
    for name, text in wanted.items():
        assert (CERTIFICATES / name).read_text("utf-8") == text, f"`make docs` writes {name} anew"


def test_every_rule_is_on_its_type_s_page() -> None:
    types = IntygTypes()
    for intyg_type in types.all():
        page = (CERTIFICATES / f"{intyg_type.code.lower()}.md").read_text("utf-8")
        for rule in intyg_type.rules:
            assert f"| `{intyg_type.key}/{rule.ref.id}` | {rule.ref.severity}" in page
        for question in intyg_type.questions:
            assert f"| **{question.svar}" in page
            for part in question.delsvar:
                assert f"| {part.id.replace('*', chr(92) + '*')} |" in page


def test_links_of_the_index_lead_to_the_pages() -> None:
    index = (CERTIFICATES / "README.md").read_text("utf-8")
    linked = {link for link in pages.links(index) if "/" not in link}
    assert linked == {path.name for path in CERTIFICATES.iterdir()} - {"README.md"}
