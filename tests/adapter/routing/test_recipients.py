import pytest

from intyg.adapter.domain.recipient import KnownRecipient, RecipientKind
from intyg.adapter.routing.recipients import RecipientRegister
from intyg.adapter.settings.settings import SettingsError, load_settings
from intyg.schemas.typefile.lookup import IntygTypes

TYPES = IntygTypes()


def register(**recipients: dict[str, object]) -> RecipientRegister:
    """Each recipient has a name and an address; the rest is given."""
    named = {
        part: {"name": part.lower(), "logical_address": part} | given
        for part, given in recipients.items()
    }
    return RecipientRegister(load_settings(environment="test", recipients=named))


def test_the_national_authorities_are_what_they_are_nationally() -> None:
    known = register(FKASSA={}, SKV={}, BANK={})
    assert [known.get(part) for part in ("FKASSA", "SKV", "BANK", "NOBODY")] == [
        KnownRecipient("FKASSA", "fkassa", RecipientKind.HUVUDMOTTAGARE, True, True),
        KnownRecipient("SKV", "skv", RecipientKind.DIREKTMOTTAGARE, True, True),
        KnownRecipient("BANK", "bank", RecipientKind.MOTTAGARE, False, True),
        None,
    ]


def test_the_settings_win_over_what_is_so_nationally() -> None:
    changed = register(
        FKASSA={"kind": "MOTTAGARE", "trusted": False},
        BANK={"kind": "HUVUDMOTTAGARE", "trusted": True},
        INVANA={"name": "Du själv"},
    )
    assert [(one.part, one.kind, one.trusted) for one in changed.all()] == [
        ("BANK", "HUVUDMOTTAGARE", True),
        ("FKASSA", "MOTTAGARE", False),
        ("HSVARD", "MOTTAGARE", True),
        ("INVANA", "MOTTAGARE", False),
    ]


def test_a_kind_that_the_contracts_do_not_have_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"recipients\.FKASSA\.kind"):
        register(FKASSA={"kind": "main"})


def test_nobody_is_possible_for_a_type_that_is_not_sent() -> None:
    everywhere = register(FKASSA={"types": ("LISJP", "AG7804")}, HSVARD={"types": ("LISJP",)})
    assert [one.part for one in everywhere.possible(TYPES.lookup("LISJP"))] == ["FKASSA"]
    not_sent = next((t for t in TYPES.all() if not t.usage.send), None)
    assert not_sent is not None
    assert register(FKASSA={"types": (not_sent.code,)}).possible(not_sent) == ()
