"""Drafts as pages: every type's form, what is saved of what was typed, and who sees any of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from intyg.adapter.audit.log import AuditKey, AuditLog
from intyg.adapter.console.pages.draft_conditions import condition_of
from intyg.adapter.console.pages.draft_fault_texts import in_swedish
from intyg.adapter.console.pages.draft_typed import (
    Typed,
    is_ticked,
    parse,
    rows_of,
    typed_of,
    written_date,
)
from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.intyg import Enhet, HosPersonal
from intyg.adapter.drafts.answers import Filler
from intyg.adapter.flows.drafts.create import NewDraft, create
from intyg.adapter.flows.services import Services
from intyg.adapter.formats.intyg_json import intyg_to_json
from intyg.adapter.rules.person_id import person_from
from intyg.adapter.settings.settings import Settings, TrustSettings
from intyg.adapter.signature import TrustStore, load_signing_key
from intyg.adapter.signature.demo_keys import make_test_keys
from intyg.adapter.store import Store
from intyg.schemas.examples.example import SIGNER, Size, example
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.rules.assertion import assertions_of
from tests import builders
from tests.adapter.console.pages import lively
from tests.adapter.console.pages.entering import enter
from tests.adapter.flows.draft_builders import KNOWN, Register
from tests.adapter.flows.rig import TYPES, Rig, VirtualClock, make_services, make_settings

DAY: Final = date(2026, 11, 23)
ALL: Final = TYPES.all()
UNIT: Final = {
    "postadress": "Provgatan 1", "postnummer": "12345", "postort": "Provstad",
    "telefonnummer": "010-0000000", "arbetsplatskod": "0000000",
    "vardgivare-id": builders.CARE_PROVIDER, "vardgivarnamn": "Provregionen",
    "by": SIGNER, "by_name": "Test Läkare",
}  # fmt: skip
PATIENT: Final = builders.PATIENT


@dataclass
class Desk:
    """A store with drafts, and how a test opens and posts their pages."""

    services: Services
    settings: Settings

    def new(self, intyg_type: IntygType | None = None, patient: str = PATIENT) -> Draft:
        rig = Rig(self.services, VirtualClock())
        enhet = Enhet(builders.UNIT, "Provenheten", builders.CARE_PROVIDER)
        wanted = NewDraft(
            intyg_type or TYPES.lookup("LISJP", "2.0"), person_from(patient),
            HosPersonal(SIGNER, "Test Läkare", enhet),
        )  # fmt: skip
        return create(wanted, KNOWN, None, self.services, rig.unit(), "c").draft

    def enter(self, name: str = "operator", **changes: Any) -> FlaskClient:
        return enter(self.services, self.settings.model_copy(update=changes), name)

    def stored(self, draft: Draft) -> Draft:
        with self.services.store.read() as rows:
            found = rows.drafts.get(draft.intygs_id)
        assert found is not None
        return found

    def lock(self, draft: Draft) -> None:
        with self.services.store.begin() as rows:
            now = self.stored(draft)
            rows.drafts.put(replace(now, state=DraftState.LOCKED), now.state)

    def rig(self) -> Rig:
        return Rig(self.services, VirtualClock())

    def actions(self, draft: Draft) -> list[str]:
        with self.services.store.read() as rows:
            return [row.entry.action for row in rows.audit.find(draft.intygs_id, 1000)]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_test_keys(folder, builders.NOW)
    return folder


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Iterator[Services]:
    folder, clock = tmp_path_factory.mktemp("drafts"), VirtualClock()
    store = Store(f"sqlite:///{folder / 'adapter.sqlite'}", clock)
    store.migrate()
    key = load_signing_key(keys / "signer.key.pem", keys / "signer.pem")
    made = make_services(make_settings(data_dir=folder), store, clock, key)
    trust = TrustStore.from_settings(TrustSettings(anchors=(keys / "ca.pem",)))
    audit = AuditLog(store, AuditKey(lively.SECRET))
    yield replace(made, people=Register(), trust=trust, audit=audit)
    store.close()


@pytest.fixture
def desk(services: Services, settings: Settings) -> Desk:
    return Desk(services, settings)


def path(draft: Draft) -> str:
    return f"/console/utkast/{draft.intygs_id}"


def tree(page: TestResponse | str) -> Any:
    """A page, to look around in."""
    return html.fromstring(page if isinstance(page, str) else page.text)


def form_on(page: TestResponse) -> Any:
    assert page.status_code < 500, page.status_code
    return tree(page).get_element_by_id("draft")


def fill(form: Any, values: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
    """What a browser posts once somebody has filled in fields that the page has."""
    for name, said in values.items():
        wanted = said if isinstance(said, list) else [said]
        fields = form.xpath(f'.//*[@name="{name}"]')
        assert fields, f"no field {name}"
        for field in fields:
            _enter(field, wanted)
    posted: dict[str, list[str]] = {}
    for field in form.xpath(".//input[@name] | .//textarea[@name] | .//select[@name]"):
        if field.get("type") not in ("radio", "checkbox") or field.get("checked") is not None:
            value = field.value if field.tag != "input" else field.get("value", "on")
            posted.setdefault(field.name, []).append(value or "")
    return posted


def _enter(field: Any, wanted: list[str]) -> None:
    if field.get("type") in ("radio", "checkbox"):
        offered = field.getparent().getparent().xpath(f'.//*[@name="{field.name}"]/@value')
        assert set(wanted) <= set(offered), (field.name, wanted, offered)
        field.attrib.pop("checked", None)
        if field.get("value") in wanted:
            field.set("checked", "")
    elif field.tag == "input":
        field.set("value", wanted[0])
    else:
        field.value = wanted[0]  # of a select: one that it offers


def answers_of(intyg_type: IntygType, size: Size = Size.FULL) -> Any:
    signed_at = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001  contract times carry no zone
    request = example(intyg_type, signed_at=signed_at, size=size, seed=1)
    return intyg_to_json(request[-1], intyg_type)["svar"]


def typed_answers(intyg_type: IntygType, size: Size = Size.FULL) -> dict[str, list[str]]:
    """The fields to fill in for an example that breaks no rule; not those that are hidden."""
    values = typed_of(answers_of(intyg_type, size), intyg_type).values
    hidden = ("~had", "~was", "~codeSystem", "~displayName", "~unit")
    return {name: list(said) for name, said in values.items() if not name.endswith(hidden)}


GOOD: Final = typed_answers(TYPES.lookup("LISJP", "2.0"))


# --- every type ---


@pytest.mark.parametrize("intyg_type", ALL, ids=[each.key for each in ALL])
def test_of_every_type_a_form_makes_a_certificate_that_can_be_signed(
    desk: Desk, intyg_type: IntygType
) -> None:
    draft, client = desk.new(intyg_type), desk.enter()
    form = form_on(client.get(path(draft)))
    wanted = typed_answers(intyg_type)
    asked = {name: said for name, said in wanted.items() if form.xpath(f'.//*[@name="{name}"]')}
    for svar, key, part in (name.split("~")[:3] for name in wanted.keys() - asked.keys()):
        twice = not key.startswith("=") and is_ticked(intyg_type.question(svar))
        assert twice or intyg_type.delsvar(part).when, part
    answer = client.post(path(draft), data=fill(form, {**UNIT, **asked}))
    assert answer.status_code == 303, tree(answer).text_content()
    assert desk.stored(draft).state is DraftState.COMPLETE
    again = form_on(client.get(path(draft)))
    assert [each for each in again.form_values() if "~" in each[0] and each[1]] != []
    assert again.xpath("//*[@class='fault']") == []


@pytest.mark.parametrize("intyg_type", ALL, ids=[each.key for each in ALL])
def test_fields_say_what_the_answers_say(intyg_type: IntygType) -> None:
    """To fields and back: nothing is lost, nothing is added."""
    filled = Filler(intyg_type).filled
    answers = filled(answers_of(intyg_type, Size.SOME))
    typed = typed_of(answers, intyg_type)
    parsed = parse(typed, intyg_type, DAY)
    assert parsed.findings == []
    assert typed_of(filled(parsed.answers), intyg_type) == typed
    assert {place for place, _ in rows_of(answers, intyg_type)} == set(parsed.places)


def test_conditions_and_rules_are_understood_as_far_as_they_are_worded_alike() -> None:
    questions = [question for each in ALL for question in each.questions]
    parts = [part for question in questions for part in question.delsvar]
    whens = [when for when in (*(q.when for q in questions), *(p.when for p in parts)) if when]
    understood = [each for each in whens if condition_of(each)]
    assert len(understood) > 0.65 * len(whens)
    messages = [a.message for each in ALL for a in assertions_of(each) if a.facet == "rule"]
    told = [each for each in messages if in_swedish(each)]
    assert len(told) > 0.9 * len(messages)
    assert not [each for each in map(in_swedish, told) if " is " in f"{each}"]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("exactly when 1.1 is ANNAT", "1.1 ANNAT"),
        ("required unless 27.1 is true", "!27.1 true"),
        ("2..4 if 27.1 is not true; hidden when 27.1 is true", "!27.1 true"),
        ("some 1.1 is IAV1..IAV3", "1.1 IAV1 IAV2 IAV3"),
        ("exactly when 6.3 is given", None),
        ("at least one of svar 58, svar 55", None),
    ],
)
def test_a_condition_is_read_or_left_alone(when: str, said: str | None) -> None:
    found = condition_of(when)
    assert (found.as_data() if found else None) == said


@pytest.mark.parametrize(
    ("text", "written"),
    [("20261208", "2026-12-08"), (" 8/12 ", "2026-12-08"), ("2026-1-2", "2026-01-02"),
     ("2026-13-45", "2026-13-45"), ("snart", "snart"), ("", "")],
)  # fmt: skip
def test_dates_are_taken_as_people_write_them(text: str, written: str) -> None:
    assert written_date(text, DAY) == written


# --- saving ---


def test_what_is_missing_is_told_once_somebody_asks_to_sign(desk: Desk) -> None:
    draft, client = desk.new(), desk.enter()
    page = client.get(path(draft))
    assert tree(page).xpath("//*[@class='fault']") == []
    ticked = fill(form_on(page), {"1~=ANNAT~1.1": ["ANNAT"], "32~=HALFTEN~32.1": ["HALFTEN"]})
    answer = client.post(path(draft), data=ticked | {"do": "sign"})
    assert answer.status_code == 422
    left = tree(answer).get_element_by_id("left")
    assert "saker återstår innan intyget kan signeras" in left.text_content()
    assert "Annan grund, vilken (1.3) krävs när typ av grund (1.1) är ANNAT." in left.text_content()
    for link in left.xpath(".//a/@href"):
        assert tree(answer).get_element_by_id(link[1:]) is not None
    assert "Svara på frågan. Den är tom." in answer.text
    assert desk.stored(draft).state is DraftState.INCOMPLETE


def test_a_fault_stands_beside_its_field_and_the_rest_is_saved(desk: Desk) -> None:
    draft, client = desk.new(), desk.enter()
    values: dict[str, str | list[str]] = {
        "6~0~6.2": "M5459X", "35~0~35.1": "Ont i ryggen",
        "32~=HALFTEN~32.1": ["HALFTEN"], "32~=HALFTEN~32.2~start": "2026-1",
    }  # fmt: skip
    posted = fill(form_on(client.get(path(draft))), values)
    page = client.post(path(draft), data=posted)
    shown = tree(page)
    period = shown.get_element_by_id("faults-f-32--HALFTEN-32-2").text_content()
    assert "Skriv första och sista dagen" in period
    assert "Det är inte sparat." in period
    assert "högst 5 tecken" in shown.get_element_by_id("faults-f-6-0-6-2").text_content()
    assert form_on(page).fields["32~=HALFTEN~32.2~start"] == "2026-1"
    answers = desk.stored(draft).content["svar"]
    assert answers["35"] == {"35.1": "Ont i ryggen"}
    assert answers["32"][0].keys() == {"instans", "32.1"}


def test_whoever_saves_second_is_told_and_loses_nothing(desk: Desk) -> None:
    draft, client = desk.new(), desk.enter()
    first = fill(form_on(client.get(path(draft))), {"35~0~35.1": "Först"})
    second = fill(form_on(client.get(path(draft))), {"35~0~35.1": "Sist"})
    assert client.post(path(draft), data=first | {"by_name": ["Ylva Först"]}).status_code == 303
    answer = client.post(path(draft), data=second)
    assert answer.status_code == 409
    assert "Ylva Först sparade utkastet" in answer.text
    form = form_on(answer)
    assert form.fields["35~0~35.1"] == "Sist"
    assert client.post(path(draft), data=fill(form, {})).status_code == 409
    over = form.xpath(".//button[@name='over']/@value")[0]
    assert client.post(path(draft), data=fill(form, {}) | {"over": over}).status_code == 303
    assert desk.stored(draft).content["svar"]["35"] == {"35.1": "Sist"}


def test_a_tick_taken_away_takes_its_row_and_a_date_without_one_brings_it() -> None:
    intyg_type = TYPES.lookup("LISJP", "2.0")
    row = "1~=JOURNALUPPGIFTER~"
    dated = {f"{row}1.2": ["2026-11-20"]}
    assert parse(Typed(dated), intyg_type, DAY).answers["1"][0]["1.1"] == "JOURNALUPPGIFTER"
    gone = dated | {f"{row}~had": ["1"]}
    assert parse(Typed(gone), intyg_type, DAY).answers == {}


def test_who_writes_becomes_the_author_without_the_professions_of_the_one_before(
    desk: Desk,
) -> None:
    draft, client = desk.new(), desk.enter()
    with desk.services.store.begin() as rows:
        author = {**draft.content["skapadAv"], "legitimeratYrke": [{"code": "LK"}]}
        rows.drafts.put(replace(draft, content={**draft.content, "skapadAv": author}), draft.state)
    values = {"by": builders.DOCTOR, "by_name": "Ny Läkare", "postort": "Annanstad"}
    client.post(path(draft), data=fill(form_on(client.get(path(draft))), values))
    author = desk.stored(draft).content["skapadAv"]
    assert author["personal-id"]["extension"] == builders.DOCTOR
    assert "legitimeratYrke" not in author
    assert author["enhet"]["postort"] == "Annanstad"


# --- signing and what else is done ---


def test_a_draft_is_signed_outside_production(desk: Desk) -> None:
    draft, client = desk.new(), desk.enter()
    posted = fill(form_on(client.get(path(draft))), {**UNIT, **GOOD}) | {"do": "sign"}
    answer = client.post(path(draft), data=posted)
    assert answer.location == f"/console/intyg/{draft.intygs_id}"
    assert client.get(answer.location).status_code == 200
    assert desk.stored(draft).state is DraftState.SIGNED
    assert "Till intyget" in client.get(path(draft)).text
    assert client.post(path(draft), data=posted).status_code == 200  # as it reads, unchanged


def test_production_does_not_sign(desk: Desk) -> None:
    draft = desk.new()
    client = desk.enter(environment=Environment.PRODUCTION)
    form = form_on(client.get(path(draft)))
    assert form.xpath(".//button[@value='sign']") == []
    answer = client.post(path(draft), data=fill(form, {**UNIT, **GOOD}) | {"do": "sign"})
    assert answer.status_code == 422
    assert "signs drafts by itself in demo and test only" in answer.text
    assert desk.stored(draft).state is DraftState.COMPLETE


def test_ready_is_said_once_and_deleting_is_asked(desk: Desk) -> None:
    draft, client = desk.new(), desk.enter()
    ready = fill(form_on(client.get(path(draft))), {}) | {"do": "ready"}
    assert "Klart för signering" in client.post(path(draft), data=ready, follow_redirects=True).text
    assert desk.rig().events(draft.intygs_id) == ["SKAPAT", "KFSIGN"]
    asked = tree(client.get(f"{path(draft)}?delete=1")).xpath("//dialog//form")[0]
    answer = client.post(path(draft), data=dict(asked.form_values()))
    assert "Utkastet är borttaget." in client.get(answer.location).text
    assert client.get(path(draft)).status_code == 404


def test_a_locked_draft_is_read_only(desk: Desk) -> None:
    draft, client = desk.new(), desk.enter()
    posted = fill(form_on(client.get(path(draft))), GOOD)
    client.post(path(draft), data=posted)
    desk.lock(draft)
    page = client.get(path(draft)).text
    assert "LÅST UTKAST" in page
    assert 'id="draft"' not in page
    assert PATIENT not in page
    before = desk.stored(draft)
    token = tree(page).xpath("//input[@name='csrf']/@value")[0]
    assert PATIENT in client.post(path(draft), data={"csrf": token, "view": "read"}).text
    assert client.post(path(draft), data=posted).status_code == 200
    assert desk.stored(draft) == before


def test_a_draft_is_ordered_here(desk: Desk) -> None:
    client = desk.enter("care")
    page = tree(client.get("/console/utkast"))
    form = next(each for each in page.forms if "typ" in each.fields)
    told = {"typ": "FK7210", "by": SIGNER, "by_name": "Test Läkare", "patient": "18900101-9803"}
    data = dict(form.form_values()) | told
    refused = client.post("/console/utkast", data=data)
    assert (refused.status_code, "Inget utkast skapades." in refused.text) == (422, True)
    assert "18900101-9803" not in refused.text
    made = client.post("/console/utkast", data=data | {"patient": PATIENT})
    assert made.status_code == 303
    assert client.get(made.location).status_code == 200


# --- who sees what ---


@pytest.mark.parametrize("who", ["viewer", "auditor"])
def test_drafts_are_not_for_everybody(desk: Desk, who: str) -> None:
    client = desk.enter(who)
    for each in ("/console/utkast", path(desk.new())):
        assert client.get(each).status_code == 403
    assert "/console/utkast" not in client.get("/console").text


def test_care_works_with_its_own_units_drafts_alone(desk: Desk) -> None:
    draft = desk.new()
    care, other = (desk.enter(who, environment=Environment.PRODUCTION) for who in ("care", "other"))
    assert path(draft) in care.get("/console/utkast").text
    assert form_on(care.get(path(draft))) is not None
    assert draft.intygs_id not in other.get("/console/utkast?unit=" + builders.UNIT).text
    hidden, never = other.get(path(draft)), other.get("/console/utkast/never")
    assert (hidden.status_code, never.status_code) == (404, 404)
    assert hidden.text.replace(draft.intygs_id, "never") == never.text


def test_no_operator_reads_or_writes_a_real_patients_draft_in_production(desk: Desk) -> None:
    draft = desk.new(patient=builders.SAMORDNINGSNUMMER)
    assert draft.is_test is not True
    open_to = form_on(desk.enter().get(path(draft)))
    client = desk.enter(environment=Environment.PRODUCTION)
    assert "Innehållet visas inte" in client.get(path(draft)).text
    listed = client.get("/console/utkast", query_string={"unit": builders.UNIT}).text
    row = tree(listed).xpath(f"//tr[.//a[contains(@href, '{draft.intygs_id}')]]")[0]
    assert builders.SAMORDNINGSNUMMER[:8] not in row.text_content()
    token = tree(listed).xpath("//input[@name='csrf']/@value")[0]
    data = fill(open_to, {"35~0~35.1": "Inte jag"}) | {"csrf": token}
    assert client.post(path(draft), data=data).status_code == 403
    assert desk.stored(draft).stamp == 0


def test_each_look_and_each_save_is_a_row_and_the_number_comes_by_a_form(desk: Desk) -> None:
    draft, client = desk.new(), desk.enter()
    page = client.get(path(draft))
    assert PATIENT not in page.text
    assert "18900101-••••" in page.text
    shown = client.post(path(draft), data=fill(form_on(page), {}) | {"do": "number"})
    assert PATIENT in shown.text
    assert desk.actions(draft) == [
        "console show draft", "console utkast save", "console show number",
    ]  # fmt: skip


def test_what_somebody_wrote_stays_text(desk: Desk) -> None:
    draft, client = desk.new(), desk.enter()
    posted = fill(form_on(client.get(path(draft))), {"35~0~35.1": lively.HOSTILE[:3000]})
    client.post(path(draft), data=posted)
    for view in ("", "?view=read"):
        page = client.get(path(draft) + view).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
    assert form_on(client.get(path(draft))).fields["35~0~35.1"].startswith("<script>")
