"""Small valid messages of every contract, ours; the persons are from Skatteverket's test list."""

from intyg.schemas import ns
from intyg.schemas.contract.contract import Contract

PATIENT = "189001019802"

_PERSON = f"""
    <t:root>1.2.752.129.2.1.3.1</t:root><t:extension>{PATIENT}</t:extension>"""

_INTYGS_ID = "<t:root>SE0000000000-ENHET</t:root><t:extension>intyg-1</t:extension>"

_HOS_PERSONAL = """
    <c:personal-id><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>SE-LAKARE</t:extension>
    </c:personal-id>
    <c:fullstandigtNamn>Ada Läkare</c:fullstandigtNamn>
    <c:forskrivarkod>0000000</c:forskrivarkod>
    <c:befattning><t:code>201010</t:code><t:codeSystem>1.2.752.129.2.2.1.4</t:codeSystem>
    </c:befattning>
    <c:enhet>
      <c:enhets-id><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>SE-ENHET</t:extension>
      </c:enhets-id>
      <c:arbetsplatskod><t:root>1.2.752.29.4.71</t:root><t:extension>0000000</t:extension>
      </c:arbetsplatskod>
      <c:enhetsnamn>Vårdcentralen</c:enhetsnamn>
      <c:postadress/><c:postnummer/><c:postort/><c:telefonnummer/>
      <c:epost>enheten@example.org</c:epost>
      <c:vardgivare>
        <c:vardgivare-id><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>SE-GIVARE</t:extension>
        </c:vardgivare-id>
        <c:vardgivarnamn>Regionen</c:vardgivarnamn>
      </c:vardgivare>
    </c:enhet>
    <c:specialistkompetens><t:code>N/A</t:code><t:displayName>Allmänmedicin</t:displayName>
    </c:specialistkompetens>
    <e2:legitimeratYrke><t:code>LK</t:code><t:codeSystem>1.2.752.29.23.1.6</t:codeSystem>
    </e2:legitimeratYrke>"""

_SIGNATURE = """<ds:Signature><ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
    <ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
    <ds:Reference URI="">
      <ds:Transforms>
        <ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2">
          <dsf:XPath Filter="subtract">//x</dsf:XPath></ds:Transform>
      </ds:Transforms>
      <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
      <ds:DigestValue>AAAA</ds:DigestValue>
    </ds:Reference>
  </ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>"""

_INTYG = f"""
  <m:intyg>
    <c:intygs-id>{_INTYGS_ID}</c:intygs-id>
    <c:typ><t:code>LISJP</t:code><t:codeSystem>b64ea353-e8f6-4832-b563-fc7d46f29548</t:codeSystem>
    </c:typ>
    <c:version>2.0</c:version>
    <c:signeringstidpunkt>2026-11-20T10:00:00</c:signeringstidpunkt>
    <c:skickatTidpunkt>2026-11-20T10:00:01</c:skickatTidpunkt>
    <c:patient>
      <c:person-id>{_PERSON}</c:person-id>
      <c:fornamn/><c:efternamn/><c:postadress/><c:postnummer/><c:postort/>
      <e2:kallaAdressuppgifter><t:code>PU</t:code>
        <t:codeSystem>4ade8de2-effe-41d0-b177-fedc820e69fa</t:codeSystem>
      </e2:kallaAdressuppgifter>
    </c:patient>
    <c:skapadAv>{_HOS_PERSONAL}</c:skapadAv>
    <c:relation>
      <c:typ><t:code>FRLANG</t:code><t:codeSystem>c2362fcd-eda0-4f9a-bd13-b3bbaf7f2146</t:codeSystem>
      </c:typ>
      <c:intygs-id>{_INTYGS_ID}</c:intygs-id>
    </c:relation>
    <c:status>
      <c:part><t:code>FKASSA</t:code><t:codeSystem>769bb12b-bd9f-4203-a5cd-fd14f2eb3b80</t:codeSystem>
      </c:part>
      <c:status><t:code>SENTTO</t:code>
        <t:codeSystem>9871cd17-8755-4ed9-b894-ff3729e775a4</t:codeSystem></c:status>
      <c:tidpunkt>2026-11-20T10:00:02</c:tidpunkt>
    </c:status>
    <c:svar id="1"><c:instans>1</c:instans>
      <c:delsvar id="1.1"><t:cv><t:code>UNDERSOKNING</t:code>
        <t:codeSystem>KV_FKMU_0001</t:codeSystem><t:displayName>Min undersökning</t:displayName>
      </t:cv></c:delsvar>
      <c:delsvar id="1.2">2026-11-19</c:delsvar></c:svar>
    <c:svar id="32">
      <c:delsvar id="32.2"><t:datePeriod><t:start>2026-11-20</t:start><t:end>2026-11-30</t:end>
      </t:datePeriod></c:delsvar></c:svar>
    <c:svar id="2">
      <c:delsvar id="2.1"><t:partialDate><t:format>YYYY-MM</t:format><t:value>2026-11</t:value>
      </t:partialDate></c:delsvar>
      <c:delsvar id="2.2"><t:pq><t:value>1.5</t:value><t:unit>h</t:unit></t:pq></c:delsvar></c:svar>
    <e2:underskrift>{_SIGNATURE}</e2:underskrift>
  </m:intyg>"""

_AMNE = """<m:amne><t:code>KOMPLT</t:code>
    <t:codeSystem>ffa59d8f-8d7e-46ae-ac9e-31804e8e8499</t:codeSystem></m:amne>"""

_PART = """<t:code>FKASSA</t:code>
    <t:codeSystem>769bb12b-bd9f-4203-a5cd-fd14f2eb3b80</t:codeSystem>"""

_SVAR_PA = """<m:svarPa><c:meddelande-id>m-0</c:meddelande-id>
    <c:referens-id>r-0</c:referens-id></m:svarPa>"""

_HSA = "<t:root>1.2.752.129.2.1.4.1</t:root><t:extension>SE-ENHET</t:extension>"

_MESSAGE_START = f"""
  <m:meddelande-id>m-1</m:meddelande-id>
  <m:referens-id>r-1</m:referens-id>
  <m:skickatTidpunkt>2026-11-21T08:00:00</m:skickatTidpunkt>
  <m:intygs-id>{_INTYGS_ID}</m:intygs-id>
  <m:patientPerson-id>{_PERSON}</m:patientPerson-id>
  <m:logiskAdressMottagare>SE-ENHET</m:logiskAdressMottagare>
  {_AMNE}
  <m:rubrik>Fråga</m:rubrik>
  <m:meddelande>Texten</m:meddelande>
  <m:paminnelseMeddelande-id>m-0</m:paminnelseMeddelande-id>
  {_SVAR_PA}"""

_ARENDEN = "<c:totalt>1</c:totalt><c:ejBesvarade>1</c:ejBesvarade><c:besvarade>0</c:besvarade>"

_REQUESTS: dict[str, str] = {
    "RegisterCertificate:3": _SVAR_PA + _INTYG,
    "SendCertificateToRecipient:2": f"""
  <m:skickatTidpunkt>2026-11-20T10:00:00</m:skickatTidpunkt>
  <m:intygs-id>{_INTYGS_ID}</m:intygs-id>
  <m:patientPerson-id>{_PERSON}</m:patientPerson-id>
  <m:mottagare>{_PART}</m:mottagare>
  <m:skickatAv><m:hosPersonal>{_HOS_PERSONAL}</m:hosPersonal></m:skickatAv>""",
    "RevokeCertificate:2": f"""
  <m:meddelande>Fel patient</m:meddelande>
  <m:skickatTidpunkt>2026-11-20T10:00:00</m:skickatTidpunkt>
  <m:intygs-id>{_INTYGS_ID}</m:intygs-id>
  <m:patientPerson-id>{_PERSON}</m:patientPerson-id>
  <m:skickatAv>{_HOS_PERSONAL}</m:skickatAv>""",
    "SendMessageToCare:2": f"""{_MESSAGE_START}
  <m:skickatAv><m:part>{_PART}</m:part><m:kontaktInfo>Telefon</m:kontaktInfo></m:skickatAv>
  <m:komplettering><m:frage-id>35</m:frage-id><m:instans>1</m:instans><m:text>Mer</m:text>
  </m:komplettering>
  <m:sistaDatumForSvar>2026-12-01</m:sistaDatumForSvar>""",
    "SendMessageToRecipient:2": f"""{_MESSAGE_START}
  <m:skickatAv>{_HOS_PERSONAL}</m:skickatAv>
  <m:sistaDatumForSvar>2026-12-01</m:sistaDatumForSvar>""",
    "CertificateStatusUpdateForCare:3": f"""{_INTYG}
  <m:handelse>
    <c:handelsekod><t:code>NYFRFM</t:code>
      <t:codeSystem>dfd7bbad-dbe5-4a2f-ba25-f7b9b2cc6b14</t:codeSystem></c:handelsekod>
    <c:tidpunkt>2026-11-21T08:00:00.100</c:tidpunkt>
    <c:amne><t:code>KOMPLT</t:code>
      <t:codeSystem>ffa59d8f-8d7e-46ae-ac9e-31804e8e8499</t:codeSystem></c:amne>
    <c:sistaDatumForSvar>2026-12-01</c:sistaDatumForSvar>
    <e4:hanteratAv>{_HSA}</e4:hanteratAv>
  </m:handelse>
  <m:skickadeFragor>{_ARENDEN}<c:hanterade>0</c:hanterade></m:skickadeFragor>
  <m:mottagnaFragor>{_ARENDEN}<c:hanterade>0</c:hanterade></m:mottagnaFragor>
  <m:ref>ref-1</m:ref>
  <x:hanteratAv>{_HSA}</x:hanteratAv>""",
    "CreateDraftCertificate:3": f"""
  <m:intyg>
    <m:typAvIntyg><t:code>LISJP</t:code>
      <t:codeSystem>b64ea353-e8f6-4832-b563-fc7d46f29548</t:codeSystem></m:typAvIntyg>
    <m:patient><c:person-id>{_PERSON}</c:person-id><c:fornamn>Prov</c:fornamn>
      <c:efternamn>Person</c:efternamn><c:postadress/><c:postnummer/><c:postort/></m:patient>
    <m:skapadAv><m:personal-id>{_HSA}</m:personal-id>
      <m:fullstandigtNamn>Prov</m:fullstandigtNamn>
      <m:enhet><m:enhets-id>{_HSA}</m:enhets-id><m:enhetsnamn>Enheten</m:enhetsnamn></m:enhet>
    </m:skapadAv>
    <m:ref>EHR-1</m:ref>
  </m:intyg>""",
}

RESULT_KEYS = tuple(_REQUESTS)
"""The contracts that move certificates and messages, and answer with nothing but a result."""

_TYP = """<t:code>LISJP</t:code>
    <t:codeSystem>b64ea353-e8f6-4832-b563-fc7d46f29548</t:codeSystem>"""

_REQUESTS |= {
    "GetCertificate:2": f"""
  <m:intygs-id>{_INTYGS_ID}</m:intygs-id>
  <m:part>{_PART}</m:part>""",
    "ListCertificatesForCare:3": f"""
  <m:person-id>{_PERSON}</m:person-id>
  <m:enhets-id>{_HSA}</m:enhets-id>
  <m:enhets-id>{_HSA}</m:enhets-id>""",
    "ListCertificatesForCareWithQA:3": f"""
  <m:person-id>{_PERSON}</m:person-id>
  <m:enhets-id>{_HSA}</m:enhets-id>
  <m:vardgivar-id>{_HSA}</m:vardgivar-id>
  <m:fromTidpunkt>2026-11-01T00:00:00</m:fromTidpunkt>
  <m:tomTidpunkt>2026-11-30T00:00:00</m:tomTidpunkt>""",
    "ListCertificatesForCitizen:4": f"""
  <m:person-id>{_PERSON}</m:person-id>
  <m:intygTyp>{_TYP}</m:intygTyp>
  <m:arkiverade>false</m:arkiverade>
  <m:fromDatum>2026-11-01</m:fromDatum>
  <m:tomDatum>2026-11-30</m:tomDatum>
  <m:part>{_PART}</m:part>""",
    "SetCertificateStatus:2": f"""
  <m:intygs-id>{_INTYGS_ID}</m:intygs-id>
  <m:part>{_PART}</m:part>
  <m:status><t:code>RECEIV</t:code>
    <t:codeSystem>9871cd17-8755-4ed9-b894-ff3729e775a4</t:codeSystem></m:status>
  <m:tidpunkt>2026-11-20T10:00:00</m:tidpunkt>""",
    "ListRelationsForCertificate:1": """
  <m:intygs-id>intyg-1</m:intygs-id>
  <m:intygs-id>intyg-2</m:intygs-id>""",
    "GetCertificateTypeInfo:1": "<m:intygs-id>intyg-1</m:intygs-id>",
    "ListKnownRecipients:1": "",
    "GetRecipientsForCertificate:1": """
  <m:certificateId>intyg-1</m:certificateId>
  <m:certificateType>LISJP</m:certificateType>""",
    "ListPossibleReceivers:1": f"<m:intygTyp>{_TYP}</m:intygTyp>",
    "ListApprovedReceivers:1": f"<m:intygs-id>{_INTYGS_ID}</m:intygs-id>",
    "RegisterApprovedReceivers:1": f"""
  <m:intyg-id>{_INTYGS_ID}</m:intyg-id>
  <m:typAvIntyg>{_TYP}</m:typAvIntyg>
  <m:approvedReceivers><m:receiverId>FKASSA</m:receiverId>
    <m:approvalStatus>YES</m:approvalStatus></m:approvedReceivers>""",
    "PingForConfiguration:1": """
  <m:serviceContractNamespace>urn:riv:x</m:serviceContractNamespace>
  <m:logicalAddress>SE-ENHET</m:logicalAddress>""",
}
_REQUESTS["ListCertificatesForCitizen:3"] = _REQUESTS["ListCertificatesForCitizen:4"]

KEYS = tuple(_REQUESTS)
"""Every contract."""

ENVELOPE = (
    f'<s:Envelope xmlns:s="{ns.SOAP11}" xmlns:c="{ns.CORE}" xmlns:t="{ns.TYPES}" '
    f'xmlns:e2="{ns.EXT32}" xmlns:e4="{ns.EXT34}" xmlns:x="{ns.CSU_EXT}" xmlns:ds="{ns.DS}" '
    f'xmlns:dsf="{ns.DSF}"><s:Header/>\n<s:Body>%s</s:Body></s:Envelope>'
)
"""A SOAP envelope that declares the prefixes of what stands in it."""


def request(contract: Contract) -> str:
    """A request element of a contract, as text; it is valid, and every part is there once."""
    name = f"m:{contract.name}"
    return f'<{name} xmlns:m="{contract.namespace}">{_REQUESTS[contract.key]}\n</{name}>'
