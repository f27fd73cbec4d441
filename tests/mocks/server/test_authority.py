from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from intyg.mocks import forsakringskassan
from intyg.mocks.journal import Step, Verdict
from intyg.mocks.personas import PERSONAS
from intyg.mocks.server.serving import MockServer, serve
from intyg.mocks.wire.signature import SignatureOutcome
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import post, result
from tests.mocks.kinds import Kassan
from tests.mocks.signing import Signer, make_ca, sign

EXISTS = "Certificate already exists"  # the national literal


def step(server: MockServer, name: str) -> Step:
    """The named step of the newest call."""
    found = server.mock.journal.entries()[-1].step(name)
    assert found is not None
    return found


def test_a_signed_intyg_is_kept_with_what_it_says(
    server: MockServer, kassan: Kassan, signer: Signer
) -> None:
    body = sign(
        builders.register_certificate(relation=("KOMPLT", "parent-1"), svar_pa="m-1"), signer
    )
    assert result(post(server, body)) == ["OK", None, None]
    held = kassan.persona.intyg(builders.INTYGS_ID)
    assert (held.typ, held.version, held.enhets_id) == ("LISJP", "1.3", builders.UNIT)
    assert (held.relation, held.svar_pa) == (("KOMPLT", "parent-1"), "m-1")
    assert held.signature is SignatureOutcome.VALID
    assert held.revoked_at is None
    assert step(server, "signature") == Step("signature", Verdict.OK, "valid")


def test_an_unsigned_intyg_is_taken_unless_signatures_are_required(
    server: MockServer, contracts: Contracts, types: IntygTypes, signer: Signer
) -> None:
    assert result(post(server, builders.register_certificate()))[0] == "OK"
    assert step(server, "signature").detail == "absent"
    settings = replace(forsakringskassan.SETTINGS, require_signature=True)
    with serve(forsakringskassan.PERSONA.make(contracts, types, settings)) as strict:
        code, error_id, text = result(post(strict, builders.register_certificate()))
        assert (code, error_id) == ("ERROR", "VALIDATION_ERROR")
        assert text == "The signature is absent"


def test_rules_ask_for_the_swedish_day_of_the_mocks_own_clock(
    contracts: Contracts, types: IntygTypes
) -> None:
    """An FK7210 of somebody who is expected on 2 July is too late on the 3rd, not on the 2nd."""
    birth = builders.svar("54", builders.delsvar("54.1", "2026-07-02"))
    body = builders.register_certificate(typ="IGRAV", version="1.0", svar=[birth])

    def answer(now: datetime) -> str | None:
        with serve(forsakringskassan.PERSONA.make(contracts, types, clock=lambda: now)) as kassan:
            return result(post(kassan, body))[1]

    midnight = datetime(2026, 7, 2, 22, tzinfo=UTC)  # in Sweden, where it is summer
    assert answer(midnight - timedelta(seconds=1)) is None
    assert answer(midnight) == "VALIDATION_ERROR"


def test_a_wrong_signature_is_refused_and_nothing_kept(
    server: MockServer, kassan: Kassan, signer: Signer
) -> None:
    body = sign(builders.register_certificate(), signer)
    changed = body.replace(b"Kakels", b"Golvl")
    code, error_id, text = result(post(server, changed))
    assert (code, error_id) == ("ERROR", "VALIDATION_ERROR")
    assert text is not None
    assert text.startswith("The signature is invalid")
    assert kassan.persona.all_intyg() == ()
    assert step(server, "signature").verdict is Verdict.FAILED


def test_without_a_ca_the_signature_is_recorded_as_not_checked(
    contracts: Contracts, types: IntygTypes, signer: Signer
) -> None:
    mock = forsakringskassan.PERSONA.make(contracts, types)
    with serve(mock) as server:
        assert result(post(server, sign(builders.register_certificate(), signer)))[0] == "OK"
        assert step(server, "signature").verdict is Verdict.NOT_CHECKED
    assert mock.persona.intyg(builders.INTYGS_ID).signature is SignatureOutcome.NOT_CHECKED


def test_the_same_intyg_again_is_info_and_says_whether_it_is_the_same(server: MockServer) -> None:
    post(server, builders.register_certificate())
    assert result(post(server, builders.register_certificate())) == ["INFO", None, EXISTS]
    assert step(server, "duplicate").detail == "repeats call 1, same content"
    other = builders.register_certificate(diagnosis="Annan åkomma")
    assert result(post(server, other)) == ["INFO", None, EXISTS]
    assert step(server, "duplicate").detail == "repeats call 1, other content"


def test_the_same_id_for_another_person_is_refused(server: MockServer, kassan: Kassan) -> None:
    post(server, builders.register_certificate())
    again = builders.register_certificate(person=builders.OTHER_PATIENT)
    assert result(post(server, again)) == ["ERROR", "VALIDATION_ERROR", EXISTS]
    assert kassan.persona.intyg(builders.INTYGS_ID).person.extension == builders.PATIENT


@pytest.mark.parametrize(
    ("body", "failed", "words"),
    [
        pytest.param(
            builders.register_certificate(typ="XYZ"), "type", "not supported", id="unknown type"
        ),
        pytest.param(
            builders.register_certificate(version="99"), "type", "not supported", id="version"
        ),
        pytest.param(
            builders.register_certificate(person="189001019803"),
            "person",
            "check digit",
            id="person number that cannot be",
        ),
        pytest.param(
            builders.register_certificate(
                svar=[one for one in builders.fk7804_svar() if 'id="35"' not in one]
            ),
            "rules",
            "FK7804/1/",
            id="a required question is missing",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(
    server: MockServer, kassan: Kassan, body: bytes, failed: str, words: str
) -> None:
    code, error_id, text = result(post(server, body))
    assert (code, error_id) == ("ERROR", "VALIDATION_ERROR")
    assert text is not None
    assert words in text
    assert "189001019803" not in text
    assert step(server, failed).verdict is Verdict.FAILED
    assert kassan.persona.all_intyg() == ()


def test_validation_comes_before_the_duplicate_check(server: MockServer, signer: Signer) -> None:
    """As nationally: a broken repeat of a good certificate is an error, not INFO."""
    post(server, sign(builders.register_certificate(), signer))
    broken = sign(builders.register_certificate(), signer).replace(b"Kakels", b"Golvl")
    assert result(post(server, broken))[:2] == ["ERROR", "VALIDATION_ERROR"]


@pytest.fixture(
    params=["transportstyrelsen", "skatteverket", "socialstyrelsen", "arbetsformedlingen"]
)
def elsewhere(
    request: pytest.FixtureRequest, contracts: Contracts, types: IntygTypes
) -> Iterator[MockServer]:
    """Every authority but Försäkringskassan."""
    with serve(PERSONAS[request.param].make(contracts, types)) as running:
        yield running


def test_other_authorities_take_only_their_own_types(elsewhere: MockServer) -> None:
    address = elsewhere.mock.settings.logical_address
    answer = result(post(elsewhere, builders.register_certificate(), logical_address=address))
    assert answer[:2] == ["ERROR", "VALIDATION_ERROR"]
    assert "does not take LISJP" in (answer[2] or "")
    unknown = result(post(elsewhere, builders.revoke_certificate(), logical_address=address))
    assert unknown[:2] == ["ERROR", "APPLICATION_ERROR"]


def test_an_authority_takes_the_types_it_is_told_to(
    contracts: Contracts, types: IntygTypes
) -> None:
    skatteverket = PERSONAS["skatteverket"]
    settings = replace(skatteverket.settings, types=frozenset({"LISJP"}))
    with serve(skatteverket.make(contracts, types, settings)) as server:
        answer = post(server, builders.register_certificate(), logical_address="SKV")
        assert result(answer)[0] == "OK"


def test_a_revocation_is_taken_once_and_told_after_that(server: MockServer, kassan: Kassan) -> None:
    post(server, builders.register_certificate())
    assert result(post(server, builders.revoke_certificate()))[0] == "OK"
    revoked_at = kassan.persona.intyg(builders.INTYGS_ID).revoked_at
    assert revoked_at is not None
    assert result(post(server, builders.revoke_certificate()))[0] == "INFO"
    assert kassan.persona.intyg(builders.INTYGS_ID).revoked_at == revoked_at


def test_an_id_in_two_pieces_revokes_nothing(server: MockServer, kassan: Kassan) -> None:
    for intygs_id in ("a", "a-1"):
        post(server, builders.register_certificate(intygs_id))
    body = builders.revoke_certificate("a-1").replace(b">a-1<", b">a<!-- -->-1<")
    code, error_id, text = result(post(server, body))
    assert (code, error_id) == ("ERROR", "VALIDATION_ERROR")
    assert "SPLIT_VALUE" in str(text)
    assert [kassan.persona.intyg(each).revoked_at for each in ("a", "a-1")] == [None, None]


def test_an_unknown_intyg_and_another_persons_are_refused_alike(server: MockServer) -> None:
    post(server, builders.register_certificate())
    unknown = result(post(server, builders.revoke_certificate("no-such-id")))
    other = result(post(server, builders.revoke_certificate(person=builders.OTHER_PATIENT)))
    assert unknown[:2] == ["ERROR", "APPLICATION_ERROR"]
    assert other == unknown


def test_the_ca_file_of_another_authority_does_not_count(
    contracts: Contracts, types: IntygTypes, signer: Signer, ca_folder: Path
) -> None:
    settings = replace(forsakringskassan.SETTINGS, ca_files=(make_ca(ca_folder, "Other")[2],))
    with serve(forsakringskassan.PERSONA.make(contracts, types, settings)) as server:
        answer = result(post(server, sign(builders.register_certificate(), signer)))
    assert answer[:2] == ["ERROR", "VALIDATION_ERROR"]


def test_without_checks_whatever_is_well_formed_is_taken(
    contracts: Contracts, types: IntygTypes
) -> None:
    settings = replace(forsakringskassan.SETTINGS, checks=False, require_signature=True)
    kassan = forsakringskassan.PERSONA.make(contracts, types, settings)
    wrong = builders.register_certificate(typ="NOPE", svar=["<svar id='x'/>"])
    with serve(kassan) as server:
        assert result(post(server, wrong))[0] == "OK"
        assert result(post(server, wrong))[0] == "INFO"  # what it has it still knows
    assert kassan.persona.intyg(builders.INTYGS_ID).signature == "not_checked"


@pytest.mark.parametrize("odd", ["a/b", "/a", "a//b", "a b", "å?;", "a%2Fb"])
def test_a_certificate_is_found_whatever_is_in_its_id(
    server: MockServer, kassan: Kassan, odd: str
) -> None:
    assert result(post(server, builders.register_certificate(odd)))[0] == "OK"
    found = Client(kassan).get(f"/control/intyg/{quote(odd, safe='')}")
    assert (found.status_code, found.get_json()["intygs_id"]) == (200, odd)
