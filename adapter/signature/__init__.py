"""Verify and make the XML signature of an intyg, in the Swedish national profile.

A general XMLDSig verifier says yes to forgeries here: the profile's transforms drop namespaces,
comments and everything with one of four names, and pick the intyg by a search through the whole
document. So structure is compared to the letter first, no transform of a message is ever run, and
what is digested is computed by our own walk (`normalise`).

    place        where the intyg is, by the interaction's exact path
    policy       structure, before any key is looked at
    profile      what that is compared with
    normal_form  N, the signed octets
    trust        certificates: path, usage, key, author
    verifier     all of it in order, with signxml for value and digest
    keys         private keys from files
    demo_keys    test keys made, and told from others
    signer       prepare and complete, or both with a key of ours
    document     the same on bytes
    result       outcomes, codes and their texts
"""

from intyg.adapter.signature.document import sign_document
from intyg.adapter.signature.keys import SigningKey, load_signing_key, signing_key_from_settings
from intyg.adapter.signature.normal_form import normalise
from intyg.adapter.signature.place import find_intyg, find_one_intyg
from intyg.adapter.signature.profile import Method
from intyg.adapter.signature.result import (
    Chain,
    Refusal,
    SignatureCode,
    SignatureOptions,
    SignatureOutcome,
    SignatureResult,
    Signer,
    ValiditySource,
)
from intyg.adapter.signature.signer import (
    Pending,
    attach,
    complete,
    make_signature,
    prepare,
    sign,
)
from intyg.adapter.signature.trust import TrustStore, why_no_issuer
from intyg.adapter.signature.verifier import verify, verify_message

__all__ = [
    "Chain",
    "Method",
    "Pending",
    "Refusal",
    "SignatureCode",
    "SignatureOptions",
    "SignatureOutcome",
    "SignatureResult",
    "Signer",
    "SigningKey",
    "TrustStore",
    "ValiditySource",
    "attach",
    "complete",
    "find_intyg",
    "find_one_intyg",
    "load_signing_key",
    "make_signature",
    "normalise",
    "prepare",
    "sign",
    "sign_document",
    "signing_key_from_settings",
    "verify",
    "verify_message",
    "why_no_issuer",
]
