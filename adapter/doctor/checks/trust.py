"""Whose signatures count: anchors that can vouch for somebody."""

from collections.abc import Iterator

from intyg.adapter.doctor.checks.check import Facts, Remark
from intyg.adapter.signature import why_no_issuer


def anchors(facts: Facts) -> Iterator[Remark]:
    trust = facts.trust
    usable = any(why_no_issuer(cert) is None for cert in trust.anchors) or trust.pinned
    for setting, certs in (
        ("trust.anchors", trust.anchors),
        ("trust.intermediates", trust.intermediates),
    ):
        for cert in certs:
            if reason := why_no_issuer(cert):
                yield Remark(
                    f"{setting}: {cert.subject.rfc4514_string()} {reason}, so no signer's "
                    "certificate leads to it",
                    "put the certificate of the CA that issues to signers in its place; one "
                    "signer's own belongs in trust.pinned",
                    refuses=not usable,
                )
