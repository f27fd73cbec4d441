import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from intyg.adapter.domain.meddelande import Arenden, StoredHandelse
from intyg.adapter.domain.person import PersonFacts
from intyg.adapter.formats.event_writer import (
    name_patient,
    write_status_update,
    write_tidpunkt,
    write_tidpunkt_ms,
)
from intyg.adapter.formats.intyg_bytes import cut_intyg
from intyg.adapter.formats.intyg_reader import read_intyg, read_register_certificate, read_tidpunkt
from intyg.schemas import ns
from intyg.schemas.codes import Handelse
from intyg.schemas.contract.contract import Contracts
from tests import builders

M = f"{{{ns.message('CertificateStatusUpdateForCare', 3)}}}"
C = f"{{{ns.CORE}}}"
T = f"{{{ns.TYPES}}}"

HANDELSE = StoredHandelse(
    handelsekod=Handelse.NYFRFM,
    intygs_id=builders.INTYGS_ID,
    tidpunkt=datetime(2026, 11, 23, 9, 0, 0, 100_000, tzinfo=UTC),
    skickade_fragor=Arenden(4, 1, 1, 2),
    mottagna_fragor=Arenden(3, 3, 0, 0),
    amne="KOMPLT",
    sista_datum_for_svar=date(2026, 12, 1),
    hanterat_av="SE0000000000-DOC2",
)


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return Contracts()


def assert_valid(data: bytes, contracts: Contracts) -> etree._Element:
    update = etree.fromstring(data)
    contract = contracts.get("CertificateStatusUpdateForCare", 3)
    assert contracts.check(contract, update) == []
    return update


def content(data: bytes) -> bytes:
    """What stands between the start tag and the end tag of intyg."""
    found = re.search(rb"<(\w+:)?intyg(?:\s[^>]*)?>(.*)</(\w+:)?intyg>", data, re.DOTALL)
    assert found is not None
    return found[2]


def test_a_status_update_follows_its_contract(contracts: Contracts) -> None:
    update = assert_valid(
        write_status_update(cut_intyg(builders.register_certificate()), HANDELSE), contracts
    )
    handelse = update.find(f"{M}handelse")
    assert handelse is not None
    assert handelse.findtext(f"{C}handelsekod/{T}code") == "NYFRFM"
    assert handelse.findtext(f"{C}tidpunkt") == "2026-11-23T10:00:00.100"  # never trimmed to .1
    assert handelse.findtext(f"{C}amne/{T}code") == "KOMPLT"
    assert handelse.findtext(f"{C}sistaDatumForSvar") == "2026-12-01"
    assert update.xpath("*[local-name()='skickadeFragor']/*/text()") == ["4", "1", "1", "2"]
    assert update.xpath("*[local-name()='mottagnaFragor']/*/text()") == ["3", "3", "0", "0"]
    last = update[-1]
    assert last.tag == f"{{{ns.CSU_EXT}}}hanteratAv"
    assert last.findtext(f"{T}extension") == "SE0000000000-DOC2"


@pytest.mark.parametrize("handelsekod", sorted(set(Handelse) - {Handelse.NYFRFM}))
def test_subject_and_last_day_are_told_with_nyfrfm_only(
    handelsekod: Handelse, contracts: Contracts
) -> None:
    handelse = replace(HANDELSE, handelsekod=handelsekod, hanterat_av=None)
    update = assert_valid(
        write_status_update(cut_intyg(builders.register_certificate()), handelse), contracts
    )
    assert update.find(f"{M}handelse/{C}amne") is None
    assert update.find(f"{M}handelse/{C}sistaDatumForSvar") is None
    assert update.find(f"{{{ns.CSU_EXT}}}hanteratAv") is None


def test_the_ehrs_own_reference_comes_before_who_handled_it(contracts: Contracts) -> None:
    update = assert_valid(
        write_status_update(cut_intyg(builders.register_certificate()), HANDELSE, ref="a & b"),
        contracts,
    )
    assert update[-2].tag == f"{M}ref"
    assert update[-2].text == "a & b"


def test_the_certificate_is_carried_over_byte_for_byte(contracts: Contracts) -> None:
    signature = (
        f'<u:underskrift xmlns:u="{builders.EXT32}"><ds:Signature xmlns:ds="{ns.DS}">'
        "<ds:SignedInfo><ds:CanonicalizationMethod Algorithm='a'/>"
        "<ds:SignatureMethod Algorithm='b'/><ds:Reference URI=''><ds:DigestMethod Algorithm='c'/>"
        "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        "<ds:SignatureValue>AA&#65;A</ds:SignatureValue></ds:Signature></u:underskrift>"
    )
    request = builders.register_certificate(underskrift=signature, svar_pa="m-1")
    update = write_status_update(cut_intyg(request), HANDELSE)
    assert content(update) == content(request)
    assert b"AA&#65;A" in update
    assert_valid(update, contracts)


def test_our_prefix_gives_way_to_the_certificates_own(contracts: Contracts) -> None:
    request = _declaring(f'xmlns:csu="{ns.CORE}" xmlns:csu1="urn:x"').replace(
        b"<version>1.3</version>", b"<csu:version>1.3</csu:version>"
    )
    _assert_same_intyg(request, contracts)


def test_a_namespace_that_needs_escaping_stays_in_scope(contracts: Contracts) -> None:
    _assert_same_intyg(_declaring("xmlns:q=\"urn:a?b=c&amp;d='e'\""), contracts)


NAMED = PersonFacts("Tolvan & Co", "<Tolvansson>", "Prov", "Provgatan 1", "12345", "Provstad")
EMPTY = b"<fornamn/><efternamn/><postadress/><postnummer/><postort/>"


@pytest.mark.parametrize("came", [
    pytest.param(EMPTY, id="empty"),
    pytest.param(EMPTY.replace(b"<efternamn/>", b"<efternamn>X</efternamn><mellannamn>Y"
                               b"</mellannamn><!-- Z -->"), id="told by the EHR"),
])  # fmt: skip
def test_name_and_address_take_the_place_of_what_came_and_nothing_else(
    came: bytes, contracts: Contracts
) -> None:
    request = builders.register_certificate().replace(EMPTY, came)
    before = write_status_update(cut_intyg(request), HANDELSE, ref="r")
    after = name_patient(before, NAMED)
    named = (
        b"<fornamn>Tolvan &amp; Co</fornamn><efternamn>&lt;Tolvansson&gt;</efternamn>"
        b"<mellannamn>Prov</mellannamn><postadress>Provgatan 1</postadress>"
        b"<postnummer>12345</postnummer><postort>Provstad</postort>"
    )
    assert after == before.replace(came, named)
    assert_valid(after, contracts)


def test_a_protected_patient_is_told_without_anything_that_came(contracts: Contracts) -> None:
    came = EMPTY.replace(b"<fornamn/>", b"<fornamn>X</fornamn>").replace(
        b"<postort/>", b"<postort>Y</postort>"
    )
    before = write_status_update(
        cut_intyg(builders.register_certificate().replace(EMPTY, came)), HANDELSE
    )
    after = name_patient(before, replace(NAMED, is_protected=True).as_told())
    assert_valid(after, contracts)
    assert after == before.replace(
        came,
        b"<fornamn></fornamn><efternamn>Skyddade personuppgifter</efternamn><postadress>"
        b"</postadress><postnummer></postnummer><postort></postort>",
    )


def test_names_are_written_with_the_prefix_of_the_certificate(contracts: Contracts) -> None:
    request = _declaring(f'xmlns:k="{ns.CORE}"').replace(f' xmlns="{ns.CORE}"'.encode(), b"")
    prefixed = re.sub(rb"<(/?)(?![a-z]+:|/)", rb"<\1k:", request)
    after = name_patient(write_status_update(cut_intyg(prefixed), HANDELSE), NAMED)
    assert b"<k:postort>Provstad</k:postort>" in after
    assert_valid(after, contracts)


def _declaring(declarations: str) -> bytes:
    start = b"<r:RegisterCertificate "
    return builders.register_certificate().replace(start, start + declarations.encode() + b" ")


def _assert_same_intyg(request: bytes, contracts: Contracts) -> None:
    intyg = assert_valid(write_status_update(cut_intyg(request), HANDELSE), contracts).find(
        f"{M}intyg"
    )
    assert intyg is not None
    assert read_intyg(intyg) == read_register_certificate(etree.fromstring(request))


def test_declarations_on_intyg_itself_are_kept(contracts: Contracts) -> None:
    request = (
        builders.register_certificate()
        .replace(f' xmlns="{ns.CORE}"'.encode(), b"")
        .replace(b"<r:intyg>", f'<r:intyg xmlns="{ns.CORE}">'.encode())
    )
    assert_valid(write_status_update(cut_intyg(request), HANDELSE), contracts)


@pytest.mark.parametrize(
    "text", ["2026-11-23T10:00:00", "2026-07-01T23:59:59", "2026-10-25T02:30:00"]
)
def test_times_are_read_and_written_as_a_pair(text: str) -> None:
    assert write_tidpunkt(read_tidpunkt(text)) == text


def test_milliseconds_are_always_three_digits() -> None:
    assert write_tidpunkt_ms(datetime(2026, 7, 1, tzinfo=UTC)) == "2026-07-01T02:00:00.000"


def test_a_time_without_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        write_tidpunkt(datetime(2026, 7, 1))  # noqa: DTZ001  that is the point
