"""Whose numbers stand in a message."""

import pytest
from lxml import etree

from intyg.adapter.formats.event_writer import write_status_update
from intyg.adapter.formats.intyg_bytes import cut_intyg
from intyg.adapter.formats.persons import persons_in
from tests import builders, queries
from tests.adapter.formats.test_event_writer import HANDELSE

NUMBER, OTHER = "189001019802", "194001167743"
ROOTS = ["1.2.752.129.2.1.3.1", "1.2.752.129.2.1.3.3"]


def numbers(xml: bytes | str) -> list[str]:
    data = xml.encode() if isinstance(xml, str) else xml
    return sorted(person.extension for person in persons_in(etree.fromstring(data)))


@pytest.mark.parametrize(
    "message",
    [
        builders.register_certificate(person=NUMBER),
        builders.revoke_certificate(person=NUMBER),
        builders.send_message_to_care(person=NUMBER),
        builders.send_message_to_recipient(person=NUMBER),
        builders.send_certificate_to_recipient(person=NUMBER, citizen=True),
        write_status_update(cut_intyg(builders.register_certificate(person=NUMBER)), HANDELSE),
        queries.list_for_care(NUMBER),
        queries.list_for_citizen(4, NUMBER),
    ],
)
def test_the_patient_of_each_contract_is_found_and_nobody_else(message: bytes) -> None:
    assert numbers(message) == [NUMBER]


@pytest.mark.parametrize("name", ["a", "child-id", "x:personal-id"])
@pytest.mark.parametrize("root", ROOTS)
def test_the_root_tells_a_person_whatever_the_element_is_called(name: str, root: str) -> None:
    inside = f"<{name}><x:root>{root}</x:root><extension> {OTHER} </extension></{name}>"
    assert numbers(f"<r xmlns:x='u'><b>{inside}</b></r>") == [OTHER]


@pytest.mark.parametrize("name", ["person-id", "patientPerson-id", "x:Person-id"])
def test_the_name_tells_a_person_whatever_root_it_has(name: str) -> None:
    inside = f"<{name}><extension>{OTHER}</extension></{name}>"
    assert numbers(f"<r xmlns:x='u'>{inside}</r>") == [OTHER]


def test_staff_and_certificates_are_nobody() -> None:
    inside = "<root>1.2.752.129.2.1.4.1</root><extension>194001167743</extension>"
    assert (
        numbers(f"<r><personal-id>{inside}</personal-id><intygs-id>{inside}</intygs-id></r>") == []
    )


def test_a_number_in_two_pieces_is_read_in_both_ways() -> None:
    inside = f"<extension>{OTHER}<!-- -->1</extension>"
    assert numbers(f"<r><person-id>{inside}</person-id></r>") == [OTHER, f"{OTHER}1"]
