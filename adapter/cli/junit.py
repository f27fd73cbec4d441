"""What `intyg validate` found, as the JUnit XML that build servers read."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from intyg.schemas.finding import Finding, Severity

SUITE: Final = "intyg validate"

_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Checked:
    """A file that was looked at; not `readable`: the one finding says why."""

    file: Path
    findings: tuple[Finding, ...]
    readable: bool = True

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that make it not valid."""
        return tuple(each for each in self.findings if each.severity is Severity.ERROR)

    @property
    def valid(self) -> bool:
        """Nothing is wrong with it; there may be warnings."""
        return not self.faults


def junit(checked: Iterable[Checked]) -> bytes:
    """
    A `testsuite` with a `testcase` a file.

    One that is not valid has a `failure`, one that could not be read an `error`; warnings are its
    `system-out`.
    """
    files = tuple(checked)
    suite = etree.Element(
        "testsuite",
        name=SUITE,
        tests=str(len(files)),
        failures=str(sum(each.readable and not each.valid for each in files)),
        errors=str(sum(not each.readable for each in files)),
        skipped="0",
    )
    for each in files:
        case = etree.SubElement(suite, "testcase", classname=SUITE, name=_text(str(each.file)))
        if each.faults:
            kind = "failure" if each.readable else "error"
            first = each.faults[0]
            fault = etree.SubElement(case, kind, type=first.rule, message=_text(first.message))
            fault.text = _lines(each.faults)
        warnings = [found for found in each.findings if found not in each.faults]
        if warnings:
            etree.SubElement(case, "system-out").text = _lines(warnings)
    return etree.tostring(suite, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _lines(findings: Iterable[Finding]) -> str:
    return "\n".join(_text(f"{each.rule} {each.message} ({place_of(each)})") for each in findings)


def place_of(finding: Finding) -> str:
    """`line 12 /RegisterCertificate/intyg`."""
    return f"line {finding.line} {finding.xpath}" if finding.line else finding.xpath


def _text(text: str) -> str:
    """Without what XML cannot hold; a file's name may have it."""
    return _NOT_XML.sub("\ufffd", text)
