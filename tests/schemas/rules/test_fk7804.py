"""FK7804 version 1, rule by rule: each one broken in an otherwise right certificate."""

from datetime import date
from typing import Final

import pytest

from intyg.schemas.finding import Finding, Severity
from intyg.schemas.typefile.lookup import IntygTypes
from tests.schemas.intyg_builder import (
    Answers,
    Content,
    Cv,
    Period,
    Raw,
    Svar,
    fk7804,
)

TODAY: Final = date(2026, 11, 23)
WHOLE: Final = fk7804()
ICD: Final = "1.2.752.116.1.1.1.1.3"
KSH: Final = "1.2.752.116.1.3.1.4.1"
INFECTED: Final = (
    Answers("LISJP", "1.3", [svar for svar in WHOLE.svar if svar.id in ("6", "32")])
    .with_svar(Svar("27", [("27.1", "true")]))
)  # fmt: skip
EJ_AKTUELLT: Final = Cv("EJ_AKTUELLT", "KV_FKMU_0004")
ONLY_TEXT: Final = ("29.1", "35.1", "17.1", "19.1", "20.1", "37.1", "44.1", "25.1")


@pytest.fixture(scope="module")
def types() -> IntygTypes:
    return IntygTypes()


def findings(types: IntygTypes, answers: Answers) -> list[Finding]:
    intyg_type = types.find(answers.typ, answers.version)
    return types.check(intyg_type, answers.intyg(), today=TODAY)


def broken(types: IntygTypes, answers: Answers) -> set[str]:
    """Numbers of the rules that refuse."""
    return {
        finding.rule.removeprefix("FK7804/1/")
        for finding in findings(types, answers)
        if finding.severity is Severity.ERROR
    }


def test_full_certificate_breaks_nothing(types: IntygTypes) -> None:
    assert findings(types, WHOLE) == []


def test_certificate_for_an_infected_person_needs_only_diagnosis_and_period(
    types: IntygTypes,
) -> None:
    assert findings(types, INFECTED) == []


def cases() -> list[object]:
    """(what is broken, the rules that say so)."""
    table: list[tuple[Answers, str]] = []
    # how many svar there may be
    most = {
        "1": ("R1", 4), "28": ("R2", 4), "29": ("R3", 1), "6": ("R4", 1), "35": ("R5", 1),
        "17": ("R6", 1), "19": ("R7", 1), "20": ("R8", 1), "32": ("R9", 4), "37": ("R10", 1),
        "33": ("R11", 1), "34": ("R12", 1), "39": ("R13", 1), "40": ("R14", 10), "44": ("R15", 1),
        "25": ("R16", 1), "26": ("R17", 1), "27": ("R18", 1),
    }  # fmt: skip
    together = {"1": "R30", "28": "R54 R55 R56", "29": "R54", "32": "R96 R101", "33": "R103",
                "35": "R44 R21", "17": "R45 R22", "39": "R46 R23", "40": "R137",
                "27": ""}  # fmt: skip
    for svar, (rule, times) in most.items():
        table.append((WHOLE.repeated(svar, times + 1), f"{rule} {together.get(svar, '')}"))
    # what must be there
    table += [
        (WHOLE.without("6"), "R4"),
        (WHOLE.without("32"), "R9 R104"),
        (WHOLE.without("27").without("1"), "R19"),
        (WHOLE.without("27").without("28").without("29"), "R20"),
        (WHOLE.without("27").without("35"), "R21"),
        (WHOLE.without("27").without("17"), "R22"),
        (WHOLE.without("27").without("39"), "R23"),
        (WHOLE.without("27").without("40"), "R24"),
        (WHOLE.without("1"), "R42"),
        (WHOLE.without("28").without("29"), "R43"),
        (WHOLE.without("35"), "R44"),
        (WHOLE.without("17"), "R45"),
        (WHOLE.without("39"), "R46"),
        (WHOLE.without("40"), "R47"),
        (WHOLE.with_svar(Svar("30", [("30.1", "x")])), "R25"),
        (WHOLE.with_svar(Svar("8999", [("8999.1", "x")])), "R25"),
    ]
    # instans
    for svar, rule in (("1", "R26"), ("28", "R48"), ("32", "R93"), ("40", "R129")):
        table += [(WHOLE.instans(svar, []), rule), (WHOLE.instans(svar, ["1", "2"]), rule)]
    table.append((WHOLE.instans("40", ["0"]), "R154"))
    # one of each delsvar, and no others
    for part, rule in {
        "1.1": "R27", "1.2": "R28", "27.1": "R39", "28.1": "R49 R54 R55", "29.1": "R57",
        "6.1": "R60", "6.2": "R61 R80", "35.1": "R81", "17.1": "R84", "19.1": "R87",
        "20.1": "R90", "32.1": "R94 R104", "32.2": "R95", "37.1": "R105", "33.1": "R108",
        "34.1": "R115", "39.1": "R118", "40.1": "R130", "44.1": "R139", "25.1": "R142",
        "26.1": "R145",
    }.items():  # fmt: skip
        if part == "28.1":
            table.append((WHOLE.without("29").without("28.1"), "R49"))
        else:
            table.append((WHOLE.without(part), rule))
    for part, rule in {
        "1.3": "R29", "33.2": "R109", "39.3": "R119", "26.2": "R146", "6.3": "R78 R79",
        "6.5": "R79",
    }.items():  # fmt: skip
        table.append((WHOLE.repeated(part), rule))
    for svar, rule in {
        "1": "R31", "27": "R40", "28": "R50", "29": "R58", "6": "R62", "35": "R82", "17": "R85",
        "19": "R88", "20": "R91", "32": "R97", "37": "R106", "33": "R110", "34": "R116",
        "39": "R120", "40": "R133", "44": "R140", "25": "R143", "26": "R147",
    }.items():  # fmt: skip
        table.append((WHOLE.extra(svar, f"{svar}.9"), rule))
    # what each delsvar holds
    texts = {
        "1.3": "R36", "29.1": "R59", "6.1": "R63", "6.3": "R68", "6.5": "R73", "35.1": "R83",
        "17.1": "R86", "19.1": "R89", "20.1": "R92", "37.1": "R107", "33.2": "R112",
        "44.1": "R141", "25.1": "R144", "26.2": "R149", "9001.1": "R153",
    }  # fmt: skip
    for part, rule in texts.items():
        table.append((WHOLE.put(part, " \n\t "), rule))
        table.append((WHOLE.put(part, Raw("text <c:i>inside</c:i>")), rule))
    for part, rule in {"27.1": "R41", "33.1": "R111", "34.1": "R117", "26.1": "R148"}.items():
        table.append((WHOLE.put(part, "ja"), f"{rule}?"))
    for part, rule in {"34.1": "R117", "26.1": "R148", "33.1": "R111"}.items():
        table.append((WHOLE.put(part, Raw("true<c:i/>")), rule))
    for bad in ("2026-02-30", "2026-13-01", "26-11-02", " 2026-11-02", "", "2026-11-02T10:00:00"):
        table.append((WHOLE.put("1.2", bad), "R35"))
    codes = {
        "1.1": ("R32", "R33", "R34", "UNDERSOKNING", "KV_FKMU_0001", ""),
        "28.1": ("R51", "R52", "R53", "NUVARANDE_ARBETE", "KV_FKMU_0002", " R55"),
        "32.1": ("R98", "R99", "R100", "HELT_NEDSATT", "KV_FKMU_0003", ""),
        "39.3": ("R124", "R125", "R126", "TRETTIO_DGR", "KV_FKMU_0007", ""),
        "40.1": ("R134", "R135", "R136", "ARBETSTRANING", "KV_FKMU_0004", ""),
        "39.1": ("R121", "R122", "R123", "ATER_X_ANTAL_DGR", "KV_FKMU_0006", " R128"),
    }
    for part, (cv, system, listed, code, good, more) in codes.items():
        table.append((WHOLE.put(part, Cv(code, "KV_FKMU_9999")), system))
        table.append((WHOLE.put(part, Cv(code, f" {good} ")), system))
        table.append((WHOLE.put(part, Cv("PROGRAM", good)), listed + more))
        twice = f"<t:code>{code}</t:code><t:code>{code}</t:code><t:codeSystem>{good}</t:codeSystem>"
        table.append((WHOLE.put(part, Raw(f"<t:cv>{twice}</t:cv>")), f"{cv}?"))
    for part, (cv, system, form, length) in {
        "6.2": ("R64", "R65", "R66", "R67"),
        "6.4": ("R69", "R70", "R71", "R72"),
        "6.6": ("R74", "R75", "R76", "R77"),
    }.items():
        table.append((WHOLE.put(part, Cv("S47", "1.2.3")), f"{system} R80"))
        table.append((WHOLE.put(part, Cv("S470123", ICD)), length))
        for bad in ("S4", "47S", "F32", "f32", "Z73", "z73", "S4Ö"):
            table.append((WHOLE.put(part, Cv(bad, ICD)), form))
        names = "<t:displayName>a</t:displayName><t:displayName>b</t:displayName>"
        inner = f"<t:code>S47</t:code><t:codeSystem>{ICD}</t:codeSystem>{names}"
        table.append((WHOLE.put(part, Raw(f"<t:cv>{inner}</t:cv>")), cv))
    bad_period: Content
    for bad_period in (
        Period("2026-11-30", "2026-11-20"), Period("2026-11-31", "2026-12-01"),
        Period("2026-11-20", ""), Raw("<t:datePeriod><t:start>2026-11-20</t:start></t:datePeriod>"),
        "2026-11-20",
    ):  # fmt: skip
        table.append((WHOLE.put("32.2", bad_period), "R102"))
    # what belongs together
    table += [
        (WHOLE.extra("1", "1.3"), "R37"),
        (WHOLE.without("1.3"), "R38"),
        (WHOLE.without("29"), "R54"),
        (WHOLE.put("28.1", Cv("ARBETSSOKANDE", "KV_FKMU_0002")), "R55"),
        (WHOLE.without("6.3"), "R78 R79"),
        (WHOLE.without("6.4"), "R78"),
        (WHOLE.without("6.5"), "R79"),
        (WHOLE.without("6.3").without("6.4"), "R79"),
        (WHOLE.put("6.4", Cv("F321", KSH)), "R80"),
        (WHOLE.put("32.2", Period("2026-11-20", "2026-12-02")), "R96"),
        (WHOLE.without("33"), "R103"),
        (
            WHOLE.without("32").with_svar(
                Svar(
                    "32",
                    [
                        ("32.1", Cv("HELT_NEDSATT", "KV_FKMU_0003")),
                        ("32.2", Period("2026-11-20", "2026-11-20")),
                    ],
                    ["1"],
                )
            ),
            "R104",
        ),
        (WHOLE.without("33.2"), "R113"),
        (WHOLE.put("33.1", "0"), "R114"),
        (WHOLE.without("39.3"), "R127"),
        (WHOLE.put("39.1", Cv("PROGNOS_OKLAR", "KV_FKMU_0006")), "R128"),
        (WHOLE.with_svar(Svar("40", [("40.1", EJ_AKTUELLT)], ["3"])).without("44"), "R131"),
        (WHOLE.put("40.1", EJ_AKTUELLT).without("44"), "R132"),
        (WHOLE.put("40.1", EJ_AKTUELLT), "R132 R138"),
        (WHOLE.put("26.1", "false"), "R150"),
        (WHOLE.extra("9001", "9001.2"), "R151"),
        (WHOLE.repeated("9001"), "R152"),
    ]
    return [
        pytest.param(answers, set(rules.replace("?", "").split()), "?" in rules, id=f"{n}-{rules}")
        for n, (answers, rules) in enumerate(table)
    ]


@pytest.mark.parametrize(("answers", "rules", "others_too"), cases())
def test_broken_rule_is_named(
    types: IntygTypes, answers: Answers, rules: set[str], others_too: bool
) -> None:
    found = broken(types, answers)
    if others_too:  # a value that cannot be read breaks what depends on it as well
        assert rules <= found
    else:
        # a missing svar is also missed by every rule that asks for it
        assert rules & found, f"{rules} not among {found}"
        assert found <= rules, f"also {found - rules}"


def test_every_rule_of_the_national_schematron_is_broken_by_some_case() -> None:
    named: set[str] = set()
    for case in cases():
        named |= case.values[1]  # type: ignore[attr-defined]
    assert named == {f"R{number}" for number in range(1, 155)}


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        pytest.param(WHOLE.put("1.2", "2026-11-24"), "R156", id="examined tomorrow"),
        pytest.param(
            WHOLE.put("32.2", Period("2026-11-20", "2026-12-01")), "R168", id="a day twice"
        ),
        pytest.param(
            INFECTED.with_svar(Svar("33", [("33.1", "false")])),
            "R172",
            id="working hours of an infected person",
        ),
        pytest.param(WHOLE.put("1.2", "1899-12-31"), "R177", id="long ago"),
        pytest.param(WHOLE.put("29.1", "x" * 4001), "R179", id="long text"),
        pytest.param(WHOLE.put("6.1", "x" * 82), "R179", id="long diagnosis"),
        pytest.param(WHOLE.put("25.1", "x" * 2701), "R180", id="long remark"),
        pytest.param(
            WHOLE.put("32.2", Period("2026-11-15", "2026-11-30")).without("25"),
            "R181",
            id="started long before, and no word why",
        ),
    ],
)
def test_what_only_the_form_would_refuse_is_a_warning(
    types: IntygTypes, answers: Answers, rule: str
) -> None:
    found = findings(types, answers)
    assert [finding.rule for finding in found] == [f"FK7804/1/{rule}"]
    assert found[0].severity is Severity.WARNING


@pytest.mark.parametrize("blank", ["postadress", "postnummer", "postort", "telefonnummer"])
def test_unit_without_address_is_a_warning(types: IntygTypes, blank: str) -> None:
    answers = fk7804()
    answers.unit = {blank: " "}
    assert [finding.rule for finding in findings(types, answers)] == ["FK7804/1/R178"]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(WHOLE.put("34.1", " 1 "), id="boolean with blanks"),
        pytest.param(
            WHOLE.put("40.1", Cv(" ARBETSTRANING\n", "KV_FKMU_0004")), id="code with blanks"
        ),
        pytest.param(WHOLE.put("1.2", "2026-11-02Z"), id="date with zone"),
        pytest.param(WHOLE.put("6.2", Cv("s47", f"x{ICD}9")), id="code system inside another text"),
        pytest.param(WHOLE.with_svar(Svar("9000", [("9.9", "x"), ("9.9", "")])), id="svar 9000"),
        pytest.param(WHOLE.put("29.1", Raw("<!-- remark -->text")), id="comment before text"),
    ],
)
def test_quirks_of_the_national_rules_pass(types: IntygTypes, answers: Answers) -> None:
    assert broken(types, answers) - {"R80"} == set()


def test_rules_about_today_can_be_left_out(types: IntygTypes) -> None:
    """A certificate that was right when signed is not judged by a later day."""
    intyg_type = types.lookup("FK7804", "1")
    intyg = WHOLE.put("1.2", "2026-11-24").intyg()
    assert types.check(intyg_type, intyg, today=TODAY, at_signing=False) == []


def test_finding_says_where_what_and_what_would_be_right(types: IntygTypes) -> None:
    (finding,) = findings(types, WHOLE.put("40.1", Cv("SIMMA", "KV_FKMU_0004")))
    assert finding.rule == "FK7804/1/R136"
    assert (finding.svar, finding.delsvar) == ("40", "40.1")
    assert finding.xpath == "/RegisterCertificate/intyg/svar[18]/delsvar[1]"
    assert finding.line == 1
    assert "åtgärd (delsvar 40.1)" in finding.message
    assert "EJ_AKTUELLT" in finding.message
    assert "SIMMA" not in finding.message


def test_finding_shows_nothing_of_what_the_certificate_says(types: IntygTypes) -> None:
    secret = "Hemligt"
    answers = WHOLE
    for part in ONLY_TEXT:
        answers = answers.put(part, Raw(f"{secret}<c:i>{secret}</c:i>"))
    for finding in findings(types, answers.put("1.2", secret).put("34.1", secret)):
        assert secret not in repr(finding)


def test_all_errors_are_found_at_once(types: IntygTypes) -> None:
    answers = WHOLE.put("35.1", "").put("17.1", "").without("26.1").put("1.2", "i går")
    assert broken(types, answers) == {"R83", "R86", "R145", "R35"}


def test_bare_intyg_is_placed_from_itself(types: IntygTypes) -> None:
    intyg = WHOLE.put("35.1", "").intyg()
    intyg.getparent().remove(intyg)  # type: ignore[union-attr]
    (finding,) = types.check(types.lookup("lisjp", "1"), intyg, today=TODAY)
    assert finding.xpath == "/intyg/svar[8]/delsvar[1]"
