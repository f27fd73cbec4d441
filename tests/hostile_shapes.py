"""Messages made to hold up whoever reads them, each growing with its size.

`SHAPES` are RegisterCertificate 3, `MESSAGE_SHAPES` SendMessageToCare 2: from a name to a function
from a size in bytes to a whole SOAP request of about that size. All are well-formed; some are valid
by their schema, and a few keep every rule. They know neither adapter nor mocks.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from intyg.schemas import ns
from tests import builders

Shape: TypeAlias = Callable[[int], bytes]
"""From a size in bytes to a SOAP request."""

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_LEVELS: Final = 80
"""As deep as a delsvar may be filled without the message being deeper than 100 levels."""

LONG: Final = 900_000
"""Characters of a text that is among the longest that may be."""


def envelope(body: str, header: str = "", attributes: str = "") -> bytes:
    """A SOAP 1.1 request."""
    return (
        f'<s:Envelope xmlns:s="{ns.SOAP11}" {attributes}><s:Header>{header}'
        f'<LogicalAddress xmlns="{ns.REGISTRY}">INTYGSADAPTER</LogicalAddress></s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def many(item: str, size: int) -> str:
    """About `size` bytes of one thing over and over; `#` in it is its number."""
    if "#" not in item:
        return item * (size // len(item) + 1)
    return "".join(item.replace("#", str(n)) for n in range(size // (len(item) + 3) + 1))


# --- where what is too much stands ----------------------------------------------------------------


def _request(svar: str = "", underskrift: str = "") -> str:
    questions = [*builders.fk7804_svar(), svar]
    return builders.register_certificate(svar=questions, underskrift=underskrift).decode()


def _svar(svar: str) -> bytes:
    """After the ordinary questions of a certificate."""
    return envelope(_request(svar))


def _delsvar(content: str) -> bytes:
    """In the place of a free text."""
    return _instead("Kan inte böja knät mer än hälften", content)


def _instead(of: str, new: str) -> bytes:
    """An ordinary certificate with one text in it replaced."""
    request = _request()
    assert of in request, of
    return envelope(request.replace(of, new, 1))


def _faulty(attributes: str) -> bytes:
    """One fault, and attributes or declarations on the request element."""
    request = _request().replace("<postort/>", "")
    return envelope(request.replace(" xmlns:r=", f" {attributes} xmlns:r=", 1))


_C14N: Final = '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
_METHOD: Final = (
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>'
)
_DIGEST: Final = (
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    "<ds:DigestValue>AAAA</ds:DigestValue>"
)
_REFERENCE: Final = f'<ds:Reference URI="">{_DIGEST}</ds:Reference>'
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"


def _signature(*, references: str = _REFERENCE, value: str = "AAAA", after: str = "") -> bytes:
    """Schema and policy look at it; no key ever does."""
    return envelope(
        _request(
            underskrift=f'<e:underskrift xmlns:e="{ns.EXT32}"><ds:Signature xmlns:ds="{ns.DS}">'
            f"<ds:SignedInfo>{_C14N}{_METHOD}{references}</ds:SignedInfo>"
            f"<ds:SignatureValue>{value}</ds:SignatureValue>{after}"
            "</ds:Signature></e:underskrift>"
        )
    )


def _message(komplettering: str = "", text: str = "Påhittad fråga") -> bytes:
    request = builders.send_message_to_care(amne="KOMPLT", text=text).decode()
    return envelope(request.replace("<m:komplettering>", f"{komplettering}<m:komplettering>", 1))


_RELATION: Final = (
    f"<relation><typ><t:code>KOMPLT</t:code><t:codeSystem>{builders.RELATION_SYSTEM}"
    "</t:codeSystem></typ><intygs-id><t:root>1</t:root><t:extension>#</t:extension></intygs-id>"
    "</relation>"
)
_VALID_SVAR: Final = '<svar id="#"><delsvar id="#.1">x</delsvar></svar>'
_CV: Final = "<t:cv><t:code>#</t:code><t:codeSystem>x</t:codeSystem></t:cv>"
_PERIOD: Final = (
    "<t:datePeriod><t:start>2026-11-20</t:start><t:end>2026-12-03</t:end></t:datePeriod>"
)
_ID: Final = "<x:x xmlns:x='urn:x'><t:extension>#</t:extension></x:x>"
_ROW: Final = "<m:komplettering><m:frage-id>#</m:frage-id><m:text>x</m:text></m:komplettering>"

_THIRTY: Final = "".join(f" a{n}=''" for n in range(30))

SHAPES: Final[dict[str, Shape]] = {
    # attributes and declarations
    "unknown attributes": lambda n: _svar("<svar" + many(" a#=''", n) + "/>"),
    "unknown attributes of a namespace": lambda n: _svar(
        "<svar xmlns:a='urn:a'" + many(" a:a#=''", n) + "/>"
    ),
    "thirty unknown attributes a svar": lambda n: _svar(many(f"<svar{_THIRTY}/>", n)),
    "attributes of what may be anything": lambda n: _delsvar("<a" + many(" a#=''", n) + "/>"),
    "a long attribute": lambda n: _svar(f"<svar id='{many('9', n)}'/>"),
    "a long unknown attribute": lambda n: _svar(f"<svar a='{many('x', n)}'/>"),
    "a blank attribute": lambda n: _svar(f"<svar id='{many(' ', n)}1'/>"),
    "attributes of the request": lambda n: _faulty(many(" a#=''", n)),
    "declarations and a fault": lambda n: _faulty(many(" xmlns:n#='u'", n)),
    "declarations of the envelope": lambda n: envelope(
        _request().replace("<postort/>", ""), attributes=many(" xmlns:n#='u'", n)
    ),
    "a declaration an element": lambda n: _delsvar(many("<n#:a xmlns:n#='u#'/>", n)),
    "thirty declarations a svar": lambda n: _svar(
        many("<svar" + _THIRTY.replace(" a", " xmlns:a").replace("''", "'u'") + "/>", n)
    ),
    "a long namespace": lambda n: _delsvar(f"<a xmlns='{many('u', n)}'/>"),
    "a default namespace a level": lambda n: _delsvar(
        many("".join(f"<a xmlns='u{level}'>" for level in range(_LEVELS)) + "</a>" * _LEVELS, n)
    ),
    "xsi:type": lambda n: _svar(many(f"<svar xmlns:i='{_XSI}' i:type='Svar'/>", n)),
    "xsi:type of no schema": lambda n: _svar(many(f"<svar xmlns:i='{_XSI}' i:type='t:No'/>", n)),
    "xsi:nil": lambda n: _svar(many(f"<svar xmlns:i='{_XSI}' i:nil='true'/>", n)),
    "xsi:schemaLocation": lambda n: _svar(
        many(f"<svar xmlns:i='{_XSI}' i:schemaLocation='u# x.xsd'/>", n)
    ),
    "a long xsi:schemaLocation": lambda n: _faulty(
        f"xmlns:i='{_XSI}' i:schemaLocation='{many('u# x.xsd ', n)}'"
    ),
    "xml:id": lambda n: _delsvar(many("<a xml:id='a#'/>", n)),
    # elements
    "empty svar": lambda n: _svar(many("<svar/>", n)),
    "elements of one name": lambda n: _svar(many("<a/>", n)),
    "elements of many names": lambda n: _svar(many("<a#/>", n)),
    "elements of another namespace": lambda n: _svar(many("<x:a xmlns:x='u'/>", n)),
    "a long name": lambda n: _svar(f"<{many('a', n)}/>"),
    "long names": lambda n: _svar(many(f"<{'a' * 1000}#/>", n)),
    "towers": lambda n: _delsvar(many("<a>" * _LEVELS + "</a>" * _LEVELS, n)),
    "towers of svar": lambda n: _svar(many("<svar>" * _LEVELS + "</svar>" * _LEVELS, n)),
    "one tower": lambda n: _delsvar("<a>" * (n // 7) + "</a>" * (n // 7)),
    "a svar twice at every level": lambda n: _svar(
        many("<svar><delsvar/>" * _LEVELS + "</svar>" * _LEVELS, n)
    ),
    "svar and relation by turns": lambda n: _svar(many(_RELATION + _VALID_SVAR, n)),
    "addresses out of order": lambda n: _instead("<fornamn/>", many("<postort/><fornamn/>", n)),
    "patients": lambda n: _instead("<patient>", many("<patient/>", n) + "<patient>"),
    "invalid dates": lambda n: _svar(
        many(
            "<svar id='1'><delsvar id='1.2'><t:datePeriod><t:start>x</t:start>"
            "<t:end>2026-02-30</t:end></t:datePeriod></delsvar></svar>",
            n,
        )
    ),
    "cv without system": lambda n: _delsvar(many("<t:cv><t:code>x</t:code></t:cv>", n)),
    "cv without anything": lambda n: _delsvar(many("<t:cv/>", n)),
    "mixed content": lambda n: _instead("<fornamn/>", "<fornamn/>" + many("x<fornamn/>", n)),
    # valid by the schema
    "svar of one id": lambda n: _svar(many('<svar id="1"><delsvar id="1.1">x</delsvar></svar>', n)),
    "svar of many ids": lambda n: _svar(many(_VALID_SVAR, n)),
    "additional svar": lambda n: _svar(
        many('<svar id="9#"><delsvar id="1.1">x</delsvar></svar>', n)
    ),
    "delsvar of one id": lambda n: _svar(
        "<svar id='35'>" + many("<delsvar id='35.1'/>", n) + "</svar>"
    ),
    "delsvar of many ids": lambda n: _svar(
        "<svar id='35'>" + many("<delsvar id='35.#'/>", n) + "</svar>"
    ),
    "sick leave over and over": lambda n: _svar(
        many(
            "<svar id='32'><delsvar id='32.1'>"
            + _CV.replace("#", "HELT_NEDSATT")
            + f"</delsvar><delsvar id='32.2'>{_PERIOD}</delsvar></svar>",
            n,
        )
    ),
    "cv in one delsvar": lambda n: _delsvar(many(_CV, n)),
    "delsvar with two cv": lambda n: _svar(
        many(f"<svar id='1'><delsvar id='1.1'>{_CV}{_CV}</delsvar></svar>", n)
    ),
    "relations": lambda n: _instead("</skapadAv>", "</skapadAv>" + many(_RELATION, n)),
    "professions": lambda n: _instead(
        "</personal-id><fullstandigtNamn>Påhittad Läkare</fullstandigtNamn>",
        "</personal-id><fullstandigtNamn>Påhittad Läkare</fullstandigtNamn>"
        + many(
            "<befattning><t:code>#</t:code><t:codeSystem>1.2.752.129.2.2.1.4</t:codeSystem>"
            "</befattning>",
            n,
        ),
    ),
    "extensions": lambda n: _delsvar(many(_ID, n)),
    "extensions with the intyg's id": lambda n: _delsvar(
        many(_ID.replace("#", builders.INTYGS_ID), n)
    ),
    "extensions in pieces": lambda n: _delsvar(
        many("<t:cv><t:code>x<!-- -->x</t:code><t:codeSystem>x</t:codeSystem></t:cv>", n)
    ),
    # text
    "a long name of a unit": lambda n: _instead("Påhittade vårdcentralen", many("Enhet. ", n)),
    "a long text": lambda n: _delsvar(many("Påhittad text. ", n)),
    "long texts": lambda n: _svar(
        many(f"<svar id='35'><delsvar id='35.1'>{'x' * LONG}</delsvar></svar>", n)
    ),
    "long texts of blanks": lambda n: _svar(
        many(f"<svar id='35'><delsvar id='35.1'>{' ' * LONG}</delsvar></svar>", n)
    ),
    "long dates": lambda n: _delsvar(
        many(f"<t:datePeriod><t:start>{'2' * LONG}</t:start></t:datePeriod>", n)
    ),
    "long attributes": lambda n: _svar(many(f"<svar id='{'9' * LONG}'/>", n)),
    "a text of references": lambda n: _delsvar(many("&amp;&lt;&gt;", n)),
    "a text of blanks": lambda n: _delsvar(many(" \n\t", n)),
    "a text of digits": lambda n: _delsvar(many("1", n)),
    "a long code": lambda n: _delsvar(_CV.replace("#", many("X", n))),
    "a long code of blanks": lambda n: _delsvar(_CV.replace("#", many(" ", n) + "X")),
    "a long date": lambda n: _svar(
        f"<svar id='1'><delsvar id='1.2'>{many('2026-11-20', n)}</delsvar></svar>"
    ),
    "a long time": lambda n: _instead(">2026-11-23T09:30:00<", f">{many('2', n)}<"),
    "a time after blanks": lambda n: _instead(
        ">2026-11-23T09:30:00<", f">{many(' ', n)}2026-11-23T09:30:00<"
    ),
    "a time with a fraction": lambda n: _instead(
        ">2026-11-23T09:30:00<", f">2026-11-23T09:30:00.{many('1', n)}<"
    ),
    "a long intygs-id": lambda n: _instead(f">{builders.INTYGS_ID}<", f">{many('x', n)}<"),
    "a long person-id": lambda n: _instead(f">{builders.PATIENT}<", f">{many('1', n)}<"),
    "a long version": lambda n: _instead(">1.3<", f">{many('1', n)}<"),
    "a long typ": lambda n: _instead(">LISJP<", f">{many('L', n)}<"),
    "a long instans": lambda n: _instead("<instans>1<", f"<instans>{many('1', n)}<"),
    "lines": lambda n: _instead("<postort/>", many("\n", n)),
    "comments": lambda n: _svar(many("<!---->", n)),
    "comments in a text": lambda n: _delsvar(many("x<!---->", n)),
    "a long comment": lambda n: _svar(f"<!--{many('<svar/> ', n)}-->"),
    "instructions": lambda n: _svar(many("<?a?>", n)),
    "CDATA": lambda n: _delsvar(many("<![CDATA[<svar/>]]>", n)),
    "comments before the envelope": lambda n: many("<!---->", n).encode() + _svar(""),
    "comments after the envelope": lambda n: _svar("") + many("<!---->", n).encode(),
    "quotes": lambda n: _delsvar(many("\"'>", n)),
    # signature
    "references": lambda n: _signature(references=many(_REFERENCE, n)),
    "transforms": lambda n: _signature(
        references="<ds:Reference URI=''><ds:Transforms>"
        + many(f"<ds:Transform Algorithm='{_ENVELOPED}'/>", n)
        + f"</ds:Transforms>{_DIGEST}</ds:Reference>"
    ),
    "a transform with a long filter": lambda n: _signature(
        references="<ds:Reference URI=''><ds:Transforms>"
        f"<ds:Transform Algorithm='{ns.DSF}'><f:XPath xmlns:f='{ns.DSF}' Filter='subtract'>"
        + many("//*", n)
        + f"</f:XPath></ds:Transform></ds:Transforms>{_DIGEST}</ds:Reference>"
    ),
    "certificates": lambda n: _signature(
        after="<ds:KeyInfo><ds:X509Data>"
        + many("<ds:X509Certificate>AAAA</ds:X509Certificate>", n)
        + "</ds:X509Data></ds:KeyInfo>"
    ),
    "a long certificate": lambda n: _signature(
        after="<ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
        + many("AAAA", n)
        + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    ),
    "a long signature value": lambda n: _signature(value=many("AAAA", n)),
    "a blank signature value": lambda n: _signature(value=many(" \n", n)),
    "a signature value that is no base64": lambda n: _signature(value=many("AAA.", n)),
    "objects": lambda n: _signature(after=many("<ds:Object Id='o#'/>", n)),
    "objects of one id": lambda n: _signature(after=many("<ds:Object Id='o'/>", n)),
    "signatures in a delsvar": lambda n: _delsvar(many(f"<ds:Signature xmlns:ds='{ns.DS}'/>", n)),
    # around the request
    "headers": lambda n: envelope(_request(), many("<a/>", n)),
    "addresses": lambda n: envelope(
        _request(), many(f"<LogicalAddress xmlns='{ns.REGISTRY}'/>", n)
    ),
    "a long header": lambda n: envelope(_request(), f"<a>{many('x', n)}</a>"),
    "bodies": lambda n: envelope(_request() + many("<a/>", n)),
    "another request": lambda n: envelope(f"<a>{many('<a/>', n)}</a>"),
}
"""RegisterCertificate 3."""

MESSAGE_SHAPES: Final[dict[str, Shape]] = {
    "rows": lambda n: _message(many(_ROW, n)),
    "empty rows": lambda n: _message(many("<m:komplettering/>", n)),
    "texts": lambda n: _message(many("<m:meddelande>x</m:meddelande>", n)),
    "a long message": lambda n: _message(text=many("Påhittad fråga. ", n)),
    "unknown attributes": lambda n: _message("<m:komplettering" + many(" a#=''", n) + "/>"),
}
"""SendMessageToCare 2."""
