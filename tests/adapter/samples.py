"""Certificates, messages and deliveries for tests of what comes after the doors."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from intyg.adapter.domain.delivery import NewDelivery
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import Enhet, HosPersonal, Intyg, MeddelandeReferens, Relation
from intyg.adapter.domain.meddelande import (
    Arenden,
    Direction,
    Komplettering,
    Meddelande,
    StoredHandelse,
)
from intyg.adapter.domain.person import PersonId
from intyg.adapter.formats.intyg_bytes import find_intyg_bytes
from intyg.adapter.store import Rows
from intyg.schemas.codes import PERSONNUMMER_ROOT, Handelse
from intyg.schemas.contract.contract import Contract

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PERSON = PersonId(PERSONNUMMER_ROOT, "189001019802")  # Skatteverket's test numbers
OTHER_PERSON = PersonId(PERSONNUMMER_ROOT, "189001029819")
LAKARE = HosPersonal("SE1-LAK", "Åsa Ström", Enhet("SE1-ENHET", "Vårdcentralen", "SE1-VG"))
NO_ARENDEN = Arenden(0, 0, 0, 0)
REGISTER = "RegisterCertificate:3"
FKORG = "FKORG"

CONTRACT = Contract(
    name="RegisterCertificate",
    major=3,
    namespace="urn:riv:clinicalprocess:healthcond:certificate:RegisterCertificateResponder:3",
    soap_action="urn:riv:clinicalprocess:healthcond:certificate:RegisterCertificateResponder:3"
    ":RegisterCertificate",
    path="/clinicalprocess/healthcond/certificate/RegisterCertificate/3/rivtabp21",
)


def inbound(body: bytes = b"<a/>", **changes: Any) -> Inbound:
    sample = Inbound(
        contract=CONTRACT,
        logical_address="INTYGSADAPTER",
        element=etree.fromstring(body),
        body=body,
        intyg=find_intyg_bytes(body),
        received_at=NOW,
        correlation_id="correlation-1",
        sender="SE1-EHR",
    )
    return dataclasses.replace(sample, **changes)


def intyg(intygs_id: str = "intyg-1", **changes: Any) -> Intyg:
    sample = Intyg(
        intygs_id=intygs_id,
        typ="LISJP",
        version="1.3",
        signeringstidpunkt=NOW,
        patient=PERSON,
        skapad_av=LAKARE,
        relation=Relation("KOMPLT", "intyg-0"),
        svar_pa=MeddelandeReferens("meddelande-0", "ref-0"),
    )
    return dataclasses.replace(sample, **changes)


def meddelande(meddelande_id: str = "meddelande-1", **changes: Any) -> Meddelande:
    sample = Meddelande(
        direction=Direction.TO_CARE,
        meddelande_id=meddelande_id,
        referens_id="ref-1",
        skickat_tidpunkt=NOW,
        intygs_id="intyg-1",
        patient=PERSON,
        logisk_adress_mottagare="SE1-ENHET",
        amne="KOMPLT",
        rubrik="Rubrik",
        meddelande="Vänligen komplettera",
        paminnelse_meddelande_id=None,
        svar_pa=None,
        sista_datum_for_svar=NOW.date(),
        part="FKASSA",
        skickat_av=None,
        komplettering=(Komplettering("35", 1, "Utveckla"), Komplettering("28", None, "Ange datum")),
    )
    return dataclasses.replace(sample, **changes)


def new_delivery(intygs_id: str = "intyg-1", **changes: Any) -> NewDelivery:
    sample = NewDelivery(
        contract=REGISTER,
        logical_address=FKORG,
        intygs_id=intygs_id,
        patient=PERSON,
        body=b"<RegisterCertificate/>",
        part="FKASSA",
        due_at=NOW,
    )
    return dataclasses.replace(sample, **changes)


def handelse(handelsekod: Handelse = Handelse.SIGNAT, **changes: Any) -> StoredHandelse:
    sample = StoredHandelse(
        handelsekod=handelsekod,
        intygs_id="intyg-1",
        tidpunkt=NOW,
        skickade_fragor=Arenden(4, 1, 2, 1),
        mottagna_fragor=Arenden(3, 0, 1, 2),
    )
    return dataclasses.replace(sample, **changes)


def add_intyg(
    rows: Rows, intygs_id: str = "intyg-1", *, is_test: bool = False, **changes: Any
) -> None:
    """Store a certificate whose body names it."""
    body = f"<intyg>{intygs_id}</intyg>".encode()
    rows.intyg.add(
        intyg(intygs_id, **changes), inbound(body), body=body, is_test=is_test, signature="VALID"
    )


def add_delivery(rows: Rows, intygs_id: str = "intyg-1", **changes: Any) -> str:
    """Queue a delivery about a certificate, storing that first if need be."""
    if rows.intyg.get(intygs_id) is None:
        add_intyg(rows, intygs_id)
    return rows.deliveries.add(new_delivery(intygs_id, **changes), "correlation-1")
