"""A certificate in an answer is the certificate that came: same bytes, same signature."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.formats.answer_writers import (
    ShownIntyg,
    write_intyg,
    write_intygs_lista,
    write_one_intyg,
)
from intyg.adapter.formats.intyg_bytes import cut_intyg
from intyg.adapter.formats.intyg_reader import read_intyg, read_register_certificate
from intyg.adapter.signature import (
    SignatureOutcome,
    TrustStore,
    find_intyg,
    verify,
)
from intyg.schemas import ns
from intyg.schemas.codes import Status
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.adapter import signed

CONTRACTS = Contracts()
GET = CONTRACTS.get("GetCertificate", 2)
LIST = CONTRACTS.get("ListCertificatesForCare", 3)
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
STATUSES = (
    IntygsStatus(Status.RECEIV, "HSVARD", AT),
    IntygsStatus(Status.SENTTO, "FKASSA", AT),
)

SENT_STATUS = (
    f"<status><part><t:code>FKASSA</t:code><t:codeSystem>{builders.PART_SYSTEM}</t:codeSystem></part>"
    "<status><t:code>SENTTO</t:code><t:codeSystem>9871cd17-8755-4ed9-b894-ff3729e775a4"
    "</t:codeSystem></status><tidpunkt>1999-01-01T00:00:00</tidpunkt></status>"
)


def shown(body: bytes, statuses: tuple[IntygsStatus, ...] = STATUSES) -> ShownIntyg:
    intyg = read_register_certificate(etree.fromstring(body))
    return ShownIntyg(StoredIntyg(intyg, body, "", AT, False, "ABSENT", None), statuses)


RELATED = builders.register_certificate(relation=("ERSATT", "older"))
UNRELATED = builders.register_certificate()
NO_SVAR = builders.register_certificate(svar=[])
WITH_STATUS = builders.register_certificate(svar=[SENT_STATUS, "<!-- x -->", SENT_STATUS])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(RELATED, id="with a relation"),
        pytest.param(UNRELATED, id="without"),
        pytest.param(NO_SVAR, id="nothing after the place"),
        pytest.param(
            UNRELATED.replace(b" xmlns:r=", b" xmlns:m='urn:x' xmlns:m1='urn:y' xmlns:r="),
            id="our prefix is taken",
        ),
        pytest.param(
            UNRELATED.replace(b"<svar ", f'<q:svar xmlns:q="{ns.CORE}" '.encode()).replace(
                b"</svar>", b"</q:svar>"
            ),
            id="declarations inside",
        ),
        pytest.param(
            UNRELATED.replace(b"<r:intyg>", b"<r:intyg><!-- a > b --><![CDATA[ ]]>"),
            id="comment and CDATA first",
        ),
    ],
)
def test_only_states_are_put_in(body: bytes) -> None:
    cut = cut_intyg(body)
    assert cut.content in body
    assert cut.sent_status == b""
    answer = write_one_intyg(GET, shown(body))
    assert cut.before in answer
    assert cut.after in answer
    element = etree.fromstring(answer)
    assert CONTRACTS.check(GET, element) == []
    assert len(element.findall(f".//{{{ns.CORE}}}tidpunkt")) == 2
    assert cut.content in write_intyg(shown(body, ()), GET.namespace)
    assert read_intyg(element[0]) == read_register_certificate(etree.fromstring(body))


def test_states_that_the_issuer_sent_are_not_told() -> None:
    answer = write_one_intyg(GET, shown(WITH_STATUS))
    assert b"1999" not in answer
    assert CONTRACTS.check(GET, etree.fromstring(answer)) == []
    assert b"<status>" not in write_intyg(shown(WITH_STATUS, ()), GET.namespace)
    assert b"<status>" in cut_intyg(WITH_STATUS).content


@pytest.mark.parametrize(
    "data", [pytest.param(signed.LISJP, id="indented"), pytest.param(signed.COMPACT, id="compact")]
)
@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_the_signature_survives(data: bytes, kind: str) -> None:
    body = signed.signed(data, kind)
    element = etree.fromstring(write_one_intyg(GET, shown(body)))
    assert element.findall(f".//{{{ns.CORE}}}status")
    assert CONTRACTS.check(GET, element) == []
    assert signed.check(element).outcome is SignatureOutcome.VALID
    assert signed.general_verifier_accepts(element)


def test_every_signature_in_a_list_survives() -> None:
    body = signed.signed(signed.COMPACT)
    other = signed.COMPACT.replace(signed.INTYGS_ID.encode(), b"another-id")
    both = [shown(body), shown(signed.signed(other, "p256"))]
    answer = write_intygs_lista(LIST, [write_intyg(each, LIST.namespace) for each in both])
    element = etree.fromstring(b"".join(answer))
    assert CONTRACTS.check(LIST, element) == []
    found = find_intyg(element)
    assert len(found) == 2
    trusted = TrustStore([signed.ca()])
    for intyg in found:
        assert verify(intyg, trusted, signed.AT).outcome is SignatureOutcome.VALID


def test_of_a_list_each_certificate_is_an_answer_by_itself() -> None:
    one = write_intyg(shown(signed.COMPACT), LIST.namespace)
    for items, wanted in (([], [0]), ([one, one], [1, 1])):
        alone = [etree.fromstring(each) for each in write_intygs_lista(LIST, items).with_one_each()]
        assert [len(find_intyg(each)) for each in alone] == wanted
        assert [CONTRACTS.check(LIST, each) for each in alone] == [[] for _ in wanted]


def test_what_was_changed_after_signing_is_noticed_in_an_answer() -> None:
    body = signed.signed(signed.COMPACT)
    answer = write_one_intyg(GET, shown(body))
    forged = answer.replace(b"TEST ONLY<", b"TEST<", 1)
    assert forged != answer
    assert signed.check(etree.fromstring(forged)).outcome is SignatureOutcome.INVALID
