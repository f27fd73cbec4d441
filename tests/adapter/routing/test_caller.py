"""Who calls, from what the server and a proxy in front tell of a request."""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.platform_fault import PlatformFaultError, VpCode
from intyg.adapter.routing.caller import PEER_CERT, Caller, Callers
from intyg.adapter.settings.settings import SettingsError, load_settings
from intyg.adapter.signature.demo_keys import CLIENT_HSA_ID, make_test_keys
from tests.adapter.tls_certs import make_issuing_ca

HSA_ID = "SE2321000016-1HZ3"


def subject(*serial_numbers: str) -> dict[str, Any]:
    """A client certificate as `ssl` gives it."""
    return {"subject": ((("commonName", "x"),), *((("serialNumber", n),) for n in serial_numbers))}


def callers(**caller: Any) -> Callers:
    return Callers(load_settings(environment="test", caller=caller))


def behind_proxy(**caller: Any) -> Callers:
    return callers(identity="proxy", proxies=["10.1.0.0/16", "::1/128"], **caller)


def https(cert: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {"REMOTE_ADDR": "192.0.2.7", "wsgi.url_scheme": "https", PEER_CERT: cert, **more}


def from_proxy(**headers: str) -> dict[str, Any]:
    return {"REMOTE_ADDR": "10.1.2.3", "wsgi.url_scheme": "http", **headers}


def refusal(callers: Callers, environ: dict[str, Any]) -> tuple[VpCode, str]:
    with pytest.raises(PlatformFaultError) as caught:
        callers.identify(environ)
    return caught.value.code, str(caught.value.detail)


# --- client certificate -----------------------------------------------------------------------


def test_the_sender_is_the_serial_number_of_the_certificates_subject() -> None:
    assert callers().identify(https(subject(HSA_ID))) == Caller(HSA_ID)


@pytest.mark.parametrize(
    ("cert", "says"),
    [
        (None, "No client certificate"),
        ({}, "No client certificate"),
        (subject(), "holds none"),
        (subject(HSA_ID, HSA_ID + "2"), "holds several"),
        (subject(""), "holds something else"),
        (subject("a b"), "holds something else"),
        (subject("x" * 65), "holds something else"),
        (subject("189001019802"), "holds something else"),
        (subject("SE\r\nX-Evil: 1"), "holds something else"),
    ],
    ids=[
        "none",
        "not verified",
        "no id",
        "two",
        "empty",
        "space",
        "long",
        "a person's",
        "line break",
    ],
)
def test_a_certificate_without_one_usable_id_is_refused(cert: Any, says: str) -> None:
    code, detail = refusal(callers(), https(cert))
    assert code is VpCode.VP002
    assert says in detail
    assert "Evil" not in detail
    assert "189001019802" not in detail


def test_headers_do_not_count_where_there_is_no_proxy() -> None:
    environ = https(subject(HSA_ID), HTTP_X_VP_SENDER_ID="SOMEBODY-ELSE")
    assert callers().identify(environ).sender == HSA_ID
    code, _ = refusal(callers(), https(None, HTTP_X_VP_SENDER_ID="SOMEBODY-ELSE"))
    assert code is VpCode.VP002


# --- a proxy in front -------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "::1"])
def test_a_listed_proxy_tells_who_calls(address: str) -> None:
    environ = from_proxy(HTTP_X_VP_SENDER_ID=HSA_ID) | {"REMOTE_ADDR": address}
    assert behind_proxy().identify(environ).sender == HSA_ID


@pytest.mark.parametrize("address", ["10.2.0.1", "::ffff:10.2.0.1", "::2", "", "10.1.2.3:80"])
def test_the_same_header_from_elsewhere_is_not_believed(address: str) -> None:
    environ = from_proxy(HTTP_X_VP_SENDER_ID=HSA_ID) | {"REMOTE_ADDR": address}
    assert refusal(behind_proxy(), environ)[0] is VpCode.VP011


def test_from_elsewhere_the_certificate_counts_and_not_the_header() -> None:
    environ = https(subject(HSA_ID), HTTP_X_VP_SENDER_ID="SOMEBODY-ELSE")
    assert behind_proxy().identify(environ).sender == HSA_ID
    assert refusal(behind_proxy(), https(None, HTTP_X_VP_SENDER_ID="X"))[0] is VpCode.VP002


def test_the_headers_can_have_other_names() -> None:
    environ = from_proxy(HTTP_X_CLIENT_ID=HSA_ID, HTTP_X_VP_SENDER_ID="SOMEBODY-ELSE")
    assert behind_proxy(sender_header="X-Client-Id").identify(environ).sender == HSA_ID


def test_the_platform_instance_must_be_the_expected_one() -> None:
    expecting = behind_proxy(instance_id="NTJP-TEST")
    told = from_proxy(HTTP_X_VP_SENDER_ID=HSA_ID, HTTP_X_VP_INSTANCE_ID="NTJP-TEST")
    assert expecting.identify(told).sender == HSA_ID
    for headers in ({}, {"HTTP_X_VP_INSTANCE_ID": "NTJP-PROD"}):
        environ = from_proxy(HTTP_X_VP_SENDER_ID=HSA_ID, **headers)
        assert refusal(expecting, environ)[0] is VpCode.VP011


@pytest.mark.parametrize("value", ["", "A,B", "two words", f" {HSA_ID}"])
def test_an_id_from_a_proxy_must_be_one(value: str) -> None:
    assert refusal(behind_proxy(), from_proxy(HTTP_X_VP_SENDER_ID=value))[0] is VpCode.VP002


@pytest.fixture(scope="module")
def client_cert(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    keys = make_test_keys(tmp_path_factory.mktemp("keys"), system_clock())
    return keys.client.cert.read_bytes()


def test_the_certificate_that_a_proxy_sends_is_read(client_cert: bytes) -> None:
    der = x509.load_pem_x509_certificate(client_cert).public_bytes(Encoding.DER)
    for text in (
        quote(client_cert),  # as nginx escapes it
        client_cert.decode().replace("\n", " "),
        client_cert.decode().replace("\n", "\t"),
        base64.b64encode(der).decode(),
    ):
        found = behind_proxy().identify(from_proxy(HTTP_X_VP_AUTH_CERT=text))
        assert found.sender == CLIENT_HSA_ID


def _base64(pem: bytes) -> str:
    """As Traefik writes a certificate."""
    return b"".join(pem.split(b"-----")[2].split()).decode()


def test_of_a_chain_the_first_is_the_caller(tmp_path: Path) -> None:
    issuing, file = make_issuing_ca(tmp_path)
    leaf = issuing.issue(tmp_path / "leaf.pem", HSA_ID).read_bytes().partition(b"-----BEGIN CERT")
    pem, ca = leaf[1] + leaf[2], file.read_bytes()
    for text in (
        f"{_base64(pem)},{_base64(ca)}",
        f"{_base64(pem)}, {_base64(ca)}",
        f":{_base64(pem)}:, :{_base64(ca)}:",  # RFC 9440
        (pem + ca).decode().replace("\n", " "),
        (pem + ca).decode().replace("\n", "\t"),
        quote(f"{_base64(pem)},{_base64(ca)}"),
        quote(pem + ca),
        f"{quote(pem)},{quote(ca)}",
    ):
        found = behind_proxy().identify(from_proxy(HTTP_X_VP_AUTH_CERT=text))
        assert found.sender == HSA_ID


def test_certificates_that_are_no_chain_are_several(tmp_path: Path) -> None:
    """One of them may be the caller's own; a caller's certificate issues none."""
    issuing, file = make_issuing_ca(tmp_path)
    made = [issuing.issue(tmp_path / f"{name}.pem", name).read_bytes() for name in ("SE-1", "SE-2")]
    one, other = (b"-----BEGIN CERT" + each.partition(b"-----BEGIN CERT")[2] for each in made)
    ca = file.read_bytes()
    for pair in ((one, other), (ca, one), (one, one), (one, ca, other), (one, other, ca)):
        for text in (",".join(map(_base64, pair)), quote(b"".join(pair))):
            code, detail = refusal(behind_proxy(), from_proxy(HTTP_X_VP_AUTH_CERT=text))
            assert code is VpCode.VP002
            assert "holds several" in detail


def test_one_form_does_not_hide_the_other(tmp_path: Path, client_cert: bytes) -> None:
    """A proxy wrote base64, and the caller had put PEM beside it."""
    for text in (f"{client_cert.decode()},{_base64(client_cert)}", f"AAAA,{client_cert.decode()}"):
        code, detail = refusal(behind_proxy(), from_proxy(HTTP_X_VP_AUTH_CERT=text))
        assert code is VpCode.VP002
        assert "holds none" in detail


@pytest.mark.parametrize("value", ["", "nonsense", "%00", "-----BEGIN CERTIFICATE-----", "AAAA"])
def test_a_certificate_that_cannot_be_read_is_none(value: str) -> None:
    assert refusal(behind_proxy(), from_proxy(HTTP_X_VP_AUTH_CERT=value))[0] is VpCode.VP002


def test_a_header_that_the_proxy_did_not_write_counts_for_nothing(client_cert: bytes) -> None:
    """One writes the certificate; the caller has put an id beside it, or another certificate."""
    cert = quote(client_cert)
    same = from_proxy(HTTP_X_VP_AUTH_CERT=cert, HTTP_X_VP_SENDER_ID=CLIENT_HSA_ID)
    assert behind_proxy().identify(same).sender == CLIENT_HSA_ID
    for environ in (
        from_proxy(HTTP_X_VP_AUTH_CERT=cert, HTTP_X_VP_SENDER_ID=HSA_ID),
        from_proxy(HTTP_X_VP_AUTH_CERT="nonsense", HTTP_X_VP_SENDER_ID=HSA_ID),
        from_proxy(HTTP_X_VP_AUTH_CERT=f"{cert}, {cert}"),
        from_proxy(HTTP_X_VP_AUTH_CERT=f"{client_cert.decode()}, {client_cert.decode()}"),
    ):
        assert refusal(behind_proxy(), environ)[0] is VpCode.VP002


def test_two_headers_may_write_one_id_in_two_cases(client_cert: bytes) -> None:
    both = {"HTTP_X_VP_AUTH_CERT": quote(client_cert), "HTTP_X_VP_SENDER_ID": CLIENT_HSA_ID.lower()}
    assert behind_proxy().identify(from_proxy(**both)).sender == CLIENT_HSA_ID.lower()


def test_a_proxy_that_says_nothing_is_told_what_is_missing() -> None:
    code, detail = refusal(behind_proxy(), from_proxy())
    assert code is VpCode.VP002
    assert "x-vp-sender-id" in detail


# --- nobody is asked --------------------------------------------------------------------------


def test_in_demo_nobody_is_asked_but_a_certificate_is_read() -> None:
    demo = Callers(load_settings(environment="demo"))
    http = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "HTTP_X_VP_SENDER_ID": "X"}
    assert demo.identify(http) == Caller(None)
    assert demo.identify(https(subject(HSA_ID))) == Caller(HSA_ID)
    assert demo.identify(https(None)) == Caller(None)


@pytest.mark.parametrize("environment", ["test", "production"])
def test_elsewhere_callers_must_be_known(environment: str) -> None:
    with pytest.raises(SettingsError, match="for demo alone"):
        load_settings(environment=environment, caller={"identity": "none"})


@pytest.mark.parametrize("proxies", [[], ["10.0.0.1/8"], ["anywhere"]])
def test_a_list_of_proxies_must_be_one(tmp_path: Path, proxies: list[str]) -> None:
    with pytest.raises(SettingsError, match="caller"):
        callers(identity="proxy", proxies=proxies)


# --- the first system of a chain --------------------------------------------------------------

ORIGINAL = {"HTTP_X_RIVTA_ORIGINAL_SERVICECONSUMER_HSAID": "SE5565594230-ORIG"}


def test_the_original_sender_is_told_beside_the_sender() -> None:
    found = callers().identify(https(subject(HSA_ID), **ORIGINAL))
    assert found == Caller(HSA_ID, "SE5565594230-ORIG")


def test_only_listed_senders_may_name_an_original_sender() -> None:
    listed = callers(original_senders=[HSA_ID])
    assert listed.identify(https(subject(HSA_ID), **ORIGINAL)).original == "SE5565594230-ORIG"
    small = listed.identify(https(subject(HSA_ID.lower()), **ORIGINAL))
    assert small.original == "SE5565594230-ORIG"
    code, _ = refusal(listed, https(subject("SE2321000016-OTHER"), **ORIGINAL))
    assert code is VpCode.VP013
    assert listed.identify(https(subject("SE2321000016-OTHER"))).original is None
