"""What reports call things, in English: titles, columns, units and groups by their Swedish words.

Names of units and doctors, of types and of diagnoses stay what they are.
"""

import re
from collections.abc import Mapping
from typing import Final

# fmt: off
_ENGLISH: Final[Mapping[str, str]] = {
    # titles
    "Översikt": "Overview",
    "Antal sjukfall": "Sick-leave cases",
    "Sjukfall per diagnosgrupp": "Cases by group of diagnoses",
    "Sjukfall per diagnoskapitel": "Cases by chapter of diagnoses",
    "Jämförelse av diagnoser": "Diagnoses compared",
    "Sjukfall per åldersgrupp": "Cases by age",
    "Sjukfall per sjukskrivningsgrad": "Cases by degree of sick leave",
    "Sjukfallens längd": "Length of cases",
    "Sjukfall längre än 90 dagar": "Cases longer than 90 days",
    "Antal intyg per sjukfall": "Certificates per case",
    "Sjukfall per enhet": "Cases by unit",
    "Sjukfall per läkare": "Cases by doctor",
    "Sjukfall per läkares befattning": "Cases by doctor's position",
    "Sjukfall per läkares ålder och kön": "Cases by doctor's age and sex",
    "Sjukfall per län": "Cases by county",
    "Antal intyg": "Certificates",
    "Antal utfärdade intyg per typ": "Certificates by type",
    "Inkomna meddelanden": "Messages received",
    "Meddelanden per ämne": "Messages by subject",
    "Meddelanden per ämne och enhet": "Messages by subject and unit",
    "Meddelanden per ämne och läkare": "Messages by subject and doctor",
    "Andel intyg med kompletteringsbegäran": "Share of certificates with a completion request",
    "Kompletteringar per fråga": "Completion requests by question",
    "Tid från fråga till svar": "Time from question to answer",
    "Påminnelser per fråga": "Reminders per question",
    "Kompletteringar per fråga och intygstyp": "Completion requests by question and type",
    "Leveranser per mottagare": "Deliveries by recipient",
    "Spärrade sändningar": "Blocked sends",
    "Händelser som inget journalsystem fick": "Events that no EHR was told",
    # columns
    "Kvinnor": "Women",
    "Män": "Men",
    "Totalt": "Total",
    "Kvinnor, begärda": "Women, asked",
    "Kvinnor, alla": "Women, all",
    "Kvinnor, %": "Women, %",
    "Män, begärda": "Men, asked",
    "Män, alla": "Men, all",
    "Män, %": "Men, %",
    "Totalt, begärda": "Total, asked",
    "Totalt, alla": "Total, all",
    "Totalt, %": "Total, %",
    "Perioden före": "Period before",
    "Skillnad": "Difference",
    "Ändring, %": "Change, %",
    "Antal": "Number",
    "Median, timmar": "Median, hours",
    "90 % inom, timmar": "90 % within, hours",
    "Frågor": "Questions",
    "Påminnelser": "Reminders",
    "Påminnelser per 100 frågor": "Reminders per 100 questions",
    "Levererade": "Delivered",
    "Vid första försöket": "At the first attempt",
    "Flera försök": "Several attempts",
    "Väntar": "Waiting",
    "Kom inte fram": "Did not arrive",
    "Ingen att berätta för": "Nobody to tell",
    # units
    "sjukfall": "cases",
    "intyg": "certificates",
    "meddelanden": "messages",
    "kompletteringar": "completion requests",
    "procent": "per cent",
    "timmar": "hours",
    "påminnelser": "reminders",
    "leveranser": "deliveries",
    "spärrade": "blocked",
    "händelser": "events",
    # groups
    "Alla": "All",
    "Övriga": "Others",
    "Sjukfall": "Cases",
    "Intyg med kompletteringsbegäran, %": "Certificates with a completion request, %",
    "Utan giltig ICD-10-kod": "Without a valid ICD-10 code",
    "Somatiska sjukdomar (A00–E90, G00–L99, N00–N99)": "Somatic diseases (A00–E90, G00–L99, N00–N99)",
    "Psykiska sjukdomar (F00–F99)": "Mental disorders (F00–F99)",
    "Muskuloskeletala sjukdomar (M00–M99)": "Musculoskeletal diseases (M00–M99)",
    "Graviditet och förlossning (O00–O99)": "Pregnancy and childbirth (O00–O99)",
    "Övrigt (P00–P96, Q00–Q99, S00–Y98, U)": "Other (P00–P96, Q00–Q99, S00–Y98, U)",
    "Symtomdiagnoser (R00–R99)": "Symptoms (R00–R99)",
    "Faktorer av betydelse för hälsan (Z00–Z99)": "Factors influencing health (Z00–Z99)",
    "Infektionssjukdomar": "Infectious diseases",
    "Tumörer": "Neoplasms",
    "Blod och immunsystem": "Blood and immune system",
    "Endokrina sjukdomar, nutrition och ämnesomsättning": "Endocrine diseases, nutrition and metabolism",
    "Psykiska sjukdomar": "Mental disorders",
    "Nervsystemet": "Nervous system",
    "Ögat": "Eye",
    "Örat": "Ear",
    "Cirkulationsorganen": "Circulatory system",
    "Andningsorganen": "Respiratory system",
    "Matsmältningsorganen": "Digestive system",
    "Huden": "Skin",
    "Muskler, skelett och bindväv": "Muscles, skeleton and connective tissue",
    "Urin- och könsorganen": "Genitourinary system",
    "Graviditet, förlossning och barnsängstid": "Pregnancy, childbirth and puerperium",
    "Perinatala tillstånd": "Perinatal conditions",
    "Medfödda missbildningar": "Congenital malformations",
    "Symtom och onormala fynd": "Symptoms and abnormal findings",
    "Skador och förgiftningar": "Injuries and poisoning",
    "Yttre orsaker": "External causes",
    "Faktorer av betydelse för hälsan": "Factors influencing health",
    "Koder för särskilda ändamål": "Codes for special purposes",
    "Överläkare": "Senior physician",
    "Distriktsläkare, specialist allmänmedicin": "District physician, specialist in general practice",
    "Skolläkare": "School physician",
    "Företagsläkare": "Occupational physician",
    "Specialistläkare": "Specialist",
    "Läkare legitimerad, specialiseringstjänstgöring": "Licensed physician, specialising",
    "Läkare legitimerad, bastjänstgöring": "Licensed physician, foundation training",
    "Läkare legitimerad, annan": "Licensed physician, other",
    "Läkare ej legitimerad, allmäntjänstgöring": "Unlicensed physician, internship",
    "Läkare ej legitimerad, annan": "Unlicensed physician, other",
    "Ej läkarbefattning": "Not a physician's position",
    "Okänd befattning": "Unknown position",
    "Avstämningsmöte": "Coordination meeting",
    "Komplettering": "Completion request",
    "Kontakt": "Contact",
    "Påminnelse": "Reminder",
    "Övrigt": "Other",
    "Okänt ämne": "Unknown subject",
    "vården svarar": "care answers",
    "myndigheten svarar": "the authority answers",
    "Baserat på": "Based on",
    "Diagnos": "Diagnosis",
    "Aktivitetsbegränsning": "Activity limitation",
    "Pågående behandling": "Ongoing treatment",
    "Planerad behandling": "Planned treatment",
    "Kontakt önskas": "Contact wanted",
    "Smittbärarpenning": "Disease carrier's allowance",
    "Typ av sysselsättning": "Kind of occupation",
    "Nuvarande arbete": "Present work",
    "Bedömning av arbetsförmåga": "Assessment of work capacity",
    "Arbetstidsförläggning": "Working hours",
    "Arbetsresor": "Travel to work",
    "Funktionsnedsättning": "Impairment",
    "Prognos": "Prognosis",
    "Åtgärder": "Measures",
}
# fmt: on

_PATTERNS: Final = (
    (re.compile(r"(\d+–\d+) år"), r"\1 years"),
    (re.compile(r"(\d+) år och äldre"), r"\1 years and older"),
    (re.compile(r"Högst (\d+) år"), r"At most \1 years"),
    (re.compile(r"(\d+–\d+) dagar"), r"\1 days"),
    (re.compile(r"(\d+) dagar eller fler"), r"\1 days or more"),
    (re.compile(r"Högst (\d+) dagar"), r"At most \1 days"),
    (re.compile(r"Mer än (\d+) dagar"), r"More than \1 days"),
    (re.compile(r"Fler än (\d+)"), r"More than \1"),
    (re.compile(r"(\d{4}-\d\d) till (\d{4}-\d\d)"), r"\1 to \2"),
    (re.compile(r"fråga (\S+)"), r"question \1"),
)
_RANGE: Final = re.compile(r"([A-ZÖ]\d\d–[A-ZÖ]\d\d) (.+)")
_IN_SMALL: Final = {sv.lower(): en.lower() for sv, en in _ENGLISH.items()}


def english(text: str) -> str:
    """A word of a report in English; itself where it is a name."""
    if text in _ENGLISH:
        return _ENGLISH[text]
    for pattern, told in _PATTERNS:
        if pattern.fullmatch(text):
            return pattern.sub(told, text)
    if found := _RANGE.fullmatch(text):
        return f"{found[1]} {english(found[2])}"
    return _last_part(text)


def _last_part(text: str) -> str:
    """`LISJP, prognos`: what stands after a name may be a word of ours, in small letters."""
    name, comma, last = text.rpartition(", ")
    if not comma:
        return _IN_SMALL.get(text, text)
    return f"{_ENGLISH.get(name, name)}, {_ENGLISH.get(last) or english(last)}"
