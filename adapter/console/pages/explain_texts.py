"""The sentences of the page that explains, Swedish and English."""

from collections.abc import Mapping
from typing import Final

from intyg.pages.words import Text

# fmt: off
EXPLAIN_TEXTS: Final[Mapping[str, Text]] = {
    "nav.trouble": ("Felsökning", "Troubleshooting"),
    "nav.explain": ("Förklara väg", "Explain route"),
    "explain.lede": ("Varför ett meddelande går fram eller inte. Inget skickas, och inget av det du skriver sparas.", "Why a message would go or not. Nothing is sent, and nothing that you type is kept."),
    "explain.way": ("Var skulle det gå?", "Where would it go?"),
    "explain.person": ("Är det en testpatient?", "Is it a test patient?"),
    "explain.address": ("Logisk adress", "Logical address"),
    "explain.address.hint": ("Den som meddelandet är till.", "Whom the message is for."),
    "explain.sender": ("Avsändare (HSA-id)", "Sender (HSA-id)"),
    "explain.sender.hint": ("Systemet som anropar. Får vara tomt.", "The system that calls. May be empty."),
    "explain.patient": ("Personnummer", "Person number"),
    "explain.patient.hint": ("Får vara tomt. Sparas inte och visas inte igen.", "May be empty. It is not kept, and not shown again."),
    "explain.number.hint": ("12 siffror. Sparas inte och visas inte igen.", "12 digits. It is not kept, and not shown again."),
    "explain.ask_way": ("Förklara", "Explain"),
    "explain.ask_person": ("Fråga signalerna", "Ask the signals"),
    "explain.ok": ("Går", "Goes"),
    "explain.note": ("Att veta", "To know"),
    "explain.no": ("Stopp", "Stops"),
    "explain.send": ("Skickas", "Sent"),
    "explain.hold": ("Hålls kvar", "Held"),
    "explain.block": ("Spärras", "Blocked"),
    "explain.kind.test": ("Testpatient", "Test patient"),
    "explain.kind.not_test": ("Ingen testpatient", "No test patient"),
    "explain.kind.unknown": ("Går inte att avgöra", "Cannot be told"),
    "explain.silent": ("Säger inget", "Says nothing"),
    "explain.to.real.authority": ("Till en skarp myndighet", "To a real authority"),
    "explain.to.test.authority": ("Till en myndighets testmiljö", "To an authority's test"),
    "explain.to.mock.authority": ("Till en myndighets attrapp", "To an authority's mock"),
    "explain.to.real.care": ("Till ett skarpt journalsystem", "To a real EHR"),
    "explain.to.test.care": ("Till ett journalsystems testmiljö", "To an EHR's test"),
    "explain.to.mock.care": ("Till ett journalsystems attrapp", "To an EHR's mock"),
    "explain.to.real.hook": ("Till ett annat system, skarpt", "To another system, real"),
    "explain.to.test.hook": ("Till ett annat systems testmiljö", "To another system's test"),
    "explain.to.mock.hook": ("Till ett annat systems attrapp", "To another system's mock"),
}
# fmt: on
