"""The command `intyg sign`."""

from pathlib import Path
from typing import Annotated

import typer

from intyg.adapter.cli.options import KEYS, JsonOption, OutputOption
from intyg.adapter.cli.terminal import STDIN, err, fail, read, write
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.adapter.settings.settings import SettingsError
from intyg.adapter.signature import (
    SignatureCode,
    SigningKey,
    TrustStore,
    load_signing_key,
    sign_document,
    verify_message,
)
from intyg.adapter.signature.demo_keys import TestKeys


def sign(
    file: Annotated[
        Path, typer.Argument(help="A message with one intyg; - is standard input.")
    ] = STDIN,
    key: Annotated[
        Path | None, typer.Option(help="PEM key or PKCS#12; default: the test key.")
    ] = None,
    cert: Annotated[Path | None, typer.Option(help="PEM certificate; not with PKCS#12.")] = None,
    password: Annotated[
        str | None, typer.Option(envvar="INTYG_KEY_PASSWORD", help="Of the key.", show_envvar=True)
    ] = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign an intyg in the national profile; a signature that is there is replaced."""
    if key is None:
        signer = TestKeys.of(KEYS).signer
        key, cert = signer.key, signer.cert
        if not key.exists():
            fail(f"no key: {key} is not there; run intyg test-keys, or give --key")
    try:
        signing_key = load_signing_key(key, cert, password)
        signed = sign_document(read(file), signing_key)
        _warn_of_another_author(signed, signing_key)
    except OSError as exc:
        fail(f"{exc.filename or file}: {exc.strerror}")
    except SettingsError as exc:
        fail(str(exc))
    except AdapterError as exc:
        fail(f"{file}: {exc.text}", 1)
    facts = {"file": str(file), "signer": signing_key.cert.signer.hsa_id}
    write(signed, output, facts if as_json else None)


def _warn_of_another_author(signed: bytes, key: SigningKey) -> None:
    """Signing for somebody else is allowed here, but receivers that look will not trust it."""
    root = safe_xml.parse(signed).getroot()
    own = TrustStore(pinned=[key.cert.parsed])
    if verify_message(root, own, system_clock()).code is SignatureCode.SIGNER_NOT_AUTHOR:
        err.print(
            f"note: the signer {key.cert.signer.hsa_id} is not skapadAv/personal-id; "
            "a receiver that checks will say SIGNER_NOT_AUTHOR"
        )
