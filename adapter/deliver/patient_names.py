"""Name and address of the patient in status updates, from the population register.

Certificates to Försäkringskassan carry no names; nationally the unit is told them all the same, as
the register has them in the moment of sending. They are filled in here, for each attempt anew, so
that they stand in no row of the database, and somebody who became protected meanwhile is.

Source: the national editor's sender of status updates, `NotificationPatientEnricher`.
"""

from typing import Final

from intyg.adapter.clients.people import People
from intyg.adapter.domain.delivery import NewDelivery
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.event_writer import name_patient
from intyg.schemas import ns
from intyg.schemas.codes import Part
from intyg.schemas.typefile.lookup import IntygTypes

STATUS_UPDATE: Final = "CertificateStatusUpdateForCare:3"
_INTYG: Final = f"{{{ns.message('CertificateStatusUpdateForCare', 3)}}}intyg"
_C: Final = f"{{{ns.CORE}}}"


class PatientNames:
    """
    Fills them in where the national services do.

    Args:
        people: The register; None: there is none, and everything goes as it is.
        types: Say whose certificates are Försäkringskassan's.
    """

    def __init__(self, people: People | None, types: IntygTypes) -> None:
        self._people = people
        self._types = types

    def filled(self, new: NewDelivery) -> bytes:
        """
        A delivery's message, with name and address if it is a status update that has them.

        Unchanged where the register knows nobody with this number, or does not say whether they are
        protected.

        Raises:
            PeopleDownError: The register does not answer.
        """
        if self._people is None or new.contract != STATUS_UPDATE or not self._is_named(new.body):
            return new.body
        facts = self._people.find(new.patient)
        if facts is None or facts.is_protected is None:
            return new.body
        return name_patient(new.body, facts.as_told())

    def _is_named(self, update: bytes) -> bool:
        intyg = safe_xml.parse_own(update).find(_INTYG)
        assert intyg is not None  # we wrote it
        code = intyg.findtext(f"{_C}typ/{{{ns.TYPES}}}code")
        found = self._types.known(code or "", intyg.findtext(f"{_C}version") or "")
        return found is not None and found.recipient == Part.FKASSA
