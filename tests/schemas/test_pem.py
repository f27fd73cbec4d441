"""PEM files in every form that people make: used where that is harmless, else told what to mend."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from intyg.adapter.clients.tls import TlsFilesError, client_context
from intyg.adapter.doctor.key_files import certs_of
from intyg.adapter.domain.destination import ClientTls
from intyg.adapter.httpd.tls import server_context
from intyg.adapter.settings.settings import ServerTlsSettings, SettingsError
from intyg.adapter.signature.keys import load_signing_key
from intyg.mocks.wire.tls import load_ca, load_cert
from intyg.schemas.pem import blocks_in
from tests.adapter.tls_certs import HSA_ID, make_issuing_ca, make_tls_certs


@dataclass(frozen=True)
class Parts:
    """Blocks of one file: a key, its certificate and who issued that."""

    key: bytes
    leaf: bytes
    issuer: bytes

    @property
    def right(self) -> bytes:
        return self.leaf + self.issuer + self.key


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("pem")
    issuing, file = make_issuing_ca(folder)
    both = issuing.issue(folder / "leaf.pem", HSA_ID).read_bytes()
    by_label = {block.label: block.text for block in blocks_in(both)}
    return Parts(by_label["PRIVATE KEY"], by_label["CERTIFICATE"], file.read_bytes())


def indented(data: bytes) -> bytes:
    return b"".join(b"  " + line for line in data.splitlines(keepends=True))


BAG = b"Bag Attributes\n    friendlyName: x\nsubject=CN = x\nissuer=CN = y\n"

HARMLESS = [
    pytest.param(lambda p: p.right, id="as it should be"),
    pytest.param(lambda p: p.key + p.leaf + p.issuer, id="key first"),
    pytest.param(lambda p: p.leaf + p.key + p.issuer, id="key between"),
    pytest.param(lambda p: p.right.replace(b"\n", b"\r\n"), id="CRLF"),
    pytest.param(lambda p: b"\n\n" + p.leaf + b"\n \n" + p.issuer + p.key, id="blank lines"),
    pytest.param(lambda p: p.right.replace(b"\n", b"  \n"), id="blanks at line ends"),
    pytest.param(lambda p: b"\xef\xbb\xbf" + p.right, id="byte order mark"),
    pytest.param(lambda p: BAG + p.leaf + BAG + p.issuer + BAG + p.key, id="bag attributes"),
    pytest.param(lambda p: p.right.rstrip(), id="no last line end"),
    pytest.param(lambda p: p.right.replace(b" CERT", b" X509 CERT"), id="X509 CERTIFICATE"),
]

Make = Callable[[Parts], bytes]


@pytest.mark.parametrize("make", HARMLESS)
def test_what_is_harmless_is_used_everywhere(parts: Parts, tmp_path: Path, make: Make) -> None:
    file = tmp_path / "all.pem"
    file.write_bytes(make(parts))
    client_context(ClientTls(ca=file, cert=file))
    server_context(ServerTlsSettings(cert=file, client_ca=(file,)))
    load_cert(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), file, file)
    load_ca(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), file)
    assert len(certs_of(file)) == 2
    assert [block.label for block in blocks_in(make(parts))].count("PRIVATE KEY") == 1


BROKEN = [
    pytest.param(lambda _: b"", "it is empty", id="empty"),
    pytest.param(lambda p: p.right.decode().encode("utf-16"), "it is UTF-16", id="UTF-16"),
    pytest.param(
        lambda p: ssl.PEM_cert_to_DER_cert(p.leaf.decode()), "it is DER or PKCS#12", id="DER"
    ),
    pytest.param(lambda _: b"nothing", "it is not PEM", id="something else"),
    pytest.param(
        lambda p: p.right.replace(b"\n", b"\r"), "its lines end in CR alone", id="lines of CR"
    ),
    pytest.param(lambda p: indented(p.right), "its lines are indented", id="indented"),
    pytest.param(
        lambda p: p.leaf.rstrip() + p.issuer + p.key, "two blocks share a line", id="glued"
    ),
    pytest.param(lambda p: p.leaf.replace(b"\n", b"\n\n") + p.key, "blank lines inside", id="gaps"),
    pytest.param(lambda p: p.leaf[:300] + b"\n" + p.key, "a block has no end", id="broken off"),
    pytest.param(
        lambda p: p.leaf + re.sub(rb"\nMII", b"\nNII", p.issuer) + p.key,
        "certificate 2 of 2 in it cannot be read",
        id="damaged",
    ),
]


def said(file: Path) -> set[str]:
    """What each of those who need a certificate with its key says of a file."""
    texts = set[str]()
    uses: list[tuple[Callable[[], object], type[Exception]]] = [
        (lambda: client_context(ClientTls(cert=file)), TlsFilesError),
        (lambda: server_context(ServerTlsSettings(cert=file)), SettingsError),
        (lambda: load_cert(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), file, file), OSError),
    ]
    for use, error in uses:
        with pytest.raises(error) as caught:
            use()
        texts.add(str(caught.value))
    return texts


@pytest.mark.parametrize(("make", "why"), BROKEN)
def test_what_openssl_does_not_read_is_told_by_what_is_wrong(
    parts: Parts, tmp_path: Path, make: Make, why: str
) -> None:
    file = tmp_path / "all.pem"
    file.write_bytes(make(parts))
    texts = said(file)
    with pytest.raises(TlsFilesError) as out:
        client_context(ClientTls(ca=file))
    with pytest.raises(OSError, match="PEM") as mock:
        load_ca(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), file)
    assert [text for text in {*texts, str(out.value), str(mock.value)} if why not in text] == []


def encrypted(parts: Parts) -> bytes:
    key = load_pem_private_key(parts.key, None)
    form = Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    return parts.leaf + key.private_bytes(*form)


KEYS = [
    pytest.param(lambda p: p.issuer + p.leaf + p.key, "in the wrong order", id="issuer first"),
    pytest.param(lambda p: p.issuer + p.key, "the key is another's", id="another's"),
    pytest.param(lambda p: p.leaf + p.issuer, "there is no private key in it", id="no key"),
    pytest.param(lambda p: p.key, "it holds no certificate", id="key alone"),
    pytest.param(encrypted, "it is encrypted, and no password is set", id="encrypted"),
]


@pytest.mark.parametrize(("make", "why"), KEYS)
def test_a_certificate_that_is_not_the_keys_is_told_so(
    parts: Parts, tmp_path: Path, make: Make, why: str
) -> None:
    file = tmp_path / "all.pem"
    file.write_bytes(make(parts))
    assert [text for text in said(file) if why not in text] == []


def test_a_wrong_password_is_told_from_none(parts: Parts, tmp_path: Path) -> None:
    file = tmp_path / "all.pem"
    file.write_bytes(encrypted(parts))
    client_context(ClientTls(cert=file, password="secret"))
    with pytest.raises(TlsFilesError, match="the password of the key is wrong"):
        client_context(ClientTls(cert=file, password="another"))


def test_a_fault_of_the_keys_file_is_told_to_be_its(parts: Parts, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(parts.leaf)
    key.write_bytes(indented(parts.key))
    with pytest.raises(TlsFilesError, match=r"cert\.pem: the key: its lines are indented"):
        client_context(ClientTls(cert=cert, key=key))


def test_what_we_read_ourselves_may_have_any_of_these_forms(tmp_path: Path) -> None:
    certs = make_tls_certs(tmp_path)
    right = certs.client.read_bytes()
    wanted = load_signing_key(certs.client).cert.signer.fingerprint
    for odd in (
        indented(right),
        right.replace(b"\n", b"\r\n"),
        right.replace(b"\n", b"\r"),
        right.replace(b"\n", b"\n\n"),
        b"\xef\xbb\xbf" + right,
        right.decode().encode("utf-16"),
        certs.ca.read_bytes() + right,
    ):
        (tmp_path / "odd.pem").write_bytes(odd)
        assert load_signing_key(tmp_path / "odd.pem").cert.signer.fingerprint == wanted
