"""Examples that are damaged in one place, to see how whoever takes them says no."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from lxml import etree

from intyg.schemas import ns
from intyg.schemas.examples.breaking import broken
from intyg.schemas.examples.draft import request_element
from intyg.schemas.examples.example import PERSON, SIGNER, Size, Workshop, frame_of
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.rules.assertion import assertions_of

_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"


class Damage(StrEnum):
    """What can be wrong with an example of any type, beside the rules of its own."""

    SCHEMA = "schema"  # an element that the contract wants is missing: the signer's name
    TYPE = "type"  # a type that there is not
    VERSION = "version"  # a version that the type has not
    PERSON = "person"  # a number whose last figure is wrong
    UNSIGNED = "unsigned"  # nothing but the signature is missing
    SIGNATURE = "signature"  # a signature with neither a certificate nor a value


SIGNED_NOT: Final = (Damage.UNSIGNED, Damage.SIGNATURE)
"""What a signature would mend."""


class UnknownDamageError(LookupError):
    """A type has no such rule, and there is no such damage of any type."""


def rules_of(intyg_type: IntygType) -> Mapping[str, str]:
    """
    What each rule of a type that refuses says, by id without the type, `R35`.

    In the order of its file; of one that only warns, an unsigned example would not tell.
    """
    found: dict[str, str] = {}
    for assertion in assertions_of(intyg_type):
        if assertion.severity is Severity.ERROR:
            found.setdefault(assertion.rule.removeprefix(f"{intyg_type.key}/"), assertion.message)
    return found


def damaged(
    intyg_type: IntygType,
    damage: str,
    *,
    signed_at: datetime,
    intygs_id: str,
    person_id: str = PERSON,
    signer: str = SIGNER,
) -> etree._Element:
    """
    A RegisterCertificate request, unsigned, with one thing wrong.

    Args:
        damage: One of `Damage`, or a rule of the type, `R35`.
        signed_at: Swedish local time; dates in the answers are around it.
        person_id: Patient, 12 digits.
        signer: HSA-id of who signs.

    Raises:
        UnknownDamageError: There is no such damage, nor such a rule.
        CannotBreakError: The rule cannot be broken alone.
    """
    frame = frame_of(intyg_type, signed_at, intygs_id=intygs_id, person_id=person_id, signer=signer)
    shop = Workshop(intyg_type, signed_at.date())
    if damage not in tuple(Damage):
        rule = f"{intyg_type.key}/{damage}"
        try:
            return request_element(intyg_type, broken(shop, frame, rule))
        except KeyError:
            raise UnknownDamageError(f"{intyg_type.key} has no rule {damage}") from None
    request = request_element(intyg_type, shop.draft(frame, Size.MINIMAL, 0))
    _spoil(request[-1], Damage(damage))
    return request


def _spoil(intyg: etree._Element, damage: Damage) -> None:
    match damage:
        case Damage.SCHEMA:
            signer = _at(intyg, f"{_C}skapadAv")
            signer.remove(_at(signer, f"{_C}fullstandigtNamn"))
        case Damage.TYPE:
            _at(intyg, f"{_C}typ/{_T}code").text = "XX999"
        case Damage.VERSION:
            _at(intyg, f"{_C}version").text = "99.9"
        case Damage.PERSON:
            number = _at(intyg, f"{_C}patient/{_C}person-id/{_T}extension")
            figures = number.text or ""
            number.text = f"{figures[:-1]}{(int(figures[-1]) + 1) % 10}"
        case Damage.UNSIGNED:
            pass  # as all of them are
        case Damage.SIGNATURE:
            etree.SubElement(intyg, f"{{{ns.EXT32}}}underskrift").append(_empty_signature())


def _at(element: etree._Element, path: str) -> etree._Element:
    found = element.find(path)
    assert found is not None, path  # examples have it
    return found


def _empty_signature() -> etree._Element:
    """What the schema of XML Signature allows, and no more."""

    def put(parent: etree._Element, name: str, algorithm: str | None = None) -> etree._Element:
        said = {} if algorithm is None else {"Algorithm": algorithm}
        return etree.SubElement(parent, f"{{{ns.DS}}}{name}", said)

    signature = etree.Element(f"{{{ns.DS}}}Signature", nsmap={"ds": ns.DS})
    signed = put(signature, "SignedInfo")
    put(signed, "CanonicalizationMethod", _EXC_C14N)
    put(signed, "SignatureMethod", _RSA_SHA256)
    reference = put(signed, "Reference")
    reference.set("URI", "")
    put(reference, "DigestMethod", _SHA256)
    put(reference, "DigestValue").text = "AAAA"
    put(signature, "SignatureValue").text = "AAAA"
    return signature
