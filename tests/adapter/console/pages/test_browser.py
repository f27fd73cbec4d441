"""The pages in a real browser: each task as its user does it, with a mouse, without JavaScript and
by keyboard; nothing is asked of anybody else, nothing complains, and axe finds nothing."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from intyg.adapter.bootstrap.app import App
from intyg.adapter.signature.demo_keys import make_test_keys
from intyg.schemas.examples.example import SIGNER
from tests import builders
from tests.adapter.console.pages import lively
from tests.adapter.console.pages.asked import UNIT
from tests.pages.browsing import IN_A_BROWSER, Watched, assert_fit_to_read, chromium

from playwright.sync_api import Browser, Page, expect  # isort: skip -- there, since browsing is

INTYG: Final = f"/console/intyg/{lively.SENT}"
DRAFT: Final = f"/console/utkast/{lively.DRAFT}"
TABS: Final = ("readable", "xml", "headers", "findings", "signature", "questions", "audit")
PLACES: Final = (
    "/console",
    "/console/deliveries",
    "/console/deliveries?view=list&state=refused",
    "/console/deliveries/retry?state=refused&contract=SendMessageToCare",
    "/console/deliveries/retry",
    "/console/deliveries/pause",
    "/console/deliveries/stop",
    "/console/blocked",
    "/console/audit",
    "/console/explain",
    "/console/doctor",
    "/console/utkast",
    f"/console/utkast?unit={builders.UNIT}&about={lively.SENT}",
    DRAFT,
    f"{DRAFT}?asked",
    f"{DRAFT}?view=read",
    f"{DRAFT}?delete",
    "/console/arenden",
    UNIT,
    f"{UNIT}&open=a-komplt",
    f"{UNIT}&atgard=none",
    UNIT.replace("?", "/cannot?") + "&open=a-komplt",
    "/console/statistics",
    "/console/statistics?report=sjukfall-age",
    "/console/statistics?report=intyg-type&shape=period&level=region",
    "/console/statistics?report=sjukfall-title",
    INTYG,
    *(f"{INTYG}?tab={tab}" for tab in TABS),
    f"/console/intyg/{lively.NEWER}?tab=compare",
    "/console/unit?id=SE0000000000-UNIT1",
    "/console/intyg/never",
)

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the adapter's data."""
    return tmp_path_factory.mktemp("lively")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[App]:
    """One for all: what a test changes in its database it puts back (`afterwards_as_before`)."""
    keys = tmp_path_factory.mktemp("keys")
    make_test_keys(keys, builders.NOW)
    signing = {"key": keys / "signer.key.pem", "cert": keys / "signer.pem"}
    trust = {"anchors": (keys / "ca.pem",)}
    with lively.lively_app(folder, signing=signing, trust=trust) as app:
        yield app


@pytest.fixture
def afterwards_as_before(app: App, folder: Path) -> Iterator[None]:
    """What the database holds, whatever is done in the test."""
    with (
        closing(sqlite3.connect(folder / "adapter.sqlite")) as database,
        closing(sqlite3.connect(":memory:")) as kept,
    ):
        database.backup(kept)
        yield
        kept.backup(database)


@pytest.fixture(scope="module")
def state(browser: Browser, app: App) -> Any:
    """Logged in by the link."""
    context = browser.new_context(locale="sv-SE")
    page = context.new_page()
    page.goto(app.login_url())
    expect(page).to_have_url(app.console_url + "/console")
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def watch(browser: Browser, app: App, state: Any) -> Iterator[Any]:
    opened: list[Watched] = []

    def begin(**options: Any) -> Watched:
        options.setdefault("locale", "sv-SE")
        options.setdefault("viewport", {"width": 1360, "height": 900})
        context = browser.new_context(storage_state=state, **options)
        opened.append(Watched(context, app.console_url))
        return opened[-1]

    yield begin
    for each in opened:
        each.end()


def find(page: Page) -> None:
    """The first task: where is it, and who said no?"""
    page.get_by_label("Sök").fill("q-1")
    page.get_by_label("Sök").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Läkarintyg sjukpenning")
    row = page.get_by_role("row").filter(has_text="Kom inte fram, VP008")
    expect(row).to_contain_text("Plattformen saknar något för stunden")
    page.get_by_role("link", name="Läsbart intyg").click()
    expect(page.get_by_text("Påhittad åkomma")).to_be_visible()
    expect(page.get_by_text("18900101-••••").first).to_be_visible()
    page.get_by_role("button", name="Visa personnummer").click()
    expect(page.get_by_text("189001019802").first).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_delivery_that_failed_is_found_and_read(watch: Any, script: bool) -> None:
    find(watch(java_script_enabled=script).open("/console"))


def give_up(page: Page) -> None:
    """An operator's task: what waits for nobody is given up, all of it, with a reason."""
    page.get_by_role("link", name="Leveranser").click()
    page.get_by_label("Kontrakt").select_option("CertificateStatusUpdateForCare")
    page.get_by_role("button", name="Visa").click()
    page.get_by_role("link", name="Ge upp …").click()
    page.get_by_label("Varför?").fill("enheten har lagts ner")
    page.get_by_role("button", name="Ge upp").click()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
@pytest.mark.usefixtures("afterwards_as_before")
def test_deliveries_are_given_up_as_many_as_were_said(watch: Any, script: bool) -> None:
    watched = watch(java_script_enabled=script)
    page = watched.open("/console")
    give_up(page)
    expect(page.get_by_text("1 leverans är uppgiven.")).to_be_visible()
    watched.open("/console/deliveries?state=failed")
    expect(page.get_by_role("heading", level=3)).to_have_text("Någon gav upp det")


def answer(page: Page) -> None:
    """A care unit's task: a question that waits is read and answered."""
    page.get_by_role("link", name="Ärenden").click()
    page.get_by_role("link", name="Påhittade vårdcentralen").click()
    page.get_by_role("row").filter(has_text="avstämningsmöte").get_by_role("link").click()
    expect(page.get_by_text("Kan ni mötas?")).to_be_visible()
    page.get_by_role("link", name="Svara …").click()
    page.get_by_label("Text").fill("På tisdag.")
    page.get_by_label("Ditt HSA-id").fill("SE0000000000-DOC1")
    page.get_by_label("Ditt namn").fill("Påhittad Läkare")
    page.get_by_role("button", name="Skicka svaret").click()


def answer_by_keyboard(page: Page) -> None:
    for what in ("Ärenden", "Påhittade vårdcentralen", "Öppna Svara", "Svara …"):
        press(page, what)
    for text in ("På tisdag.", "SE0000000000-DOC1", "Påhittad Läkare"):
        tab_to(page, "['TEXTAREA', 'INPUT'].includes(document.activeElement.tagName)")
        page.keyboard.type(text)
    press(page, "Skicka svaret")


def press(page: Page, what: str) -> None:
    """Go with the Tab key to what begins so, and press Enter."""
    tab_to(page, f"document.activeElement.textContent.trim().startsWith('{what}')")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def tab_to(page: Page, condition: str) -> None:
    page.keyboard.press("Tab")
    for _ in range(60):
        if page.evaluate(condition):
            return
        page.keyboard.press("Tab")
    raise AssertionError(condition)


@pytest.mark.parametrize(
    ("script", "task"), [(True, answer), (False, answer), (True, answer_by_keyboard)],
    ids=["with JavaScript", "without", "by keyboard"],
)  # fmt: skip
@pytest.mark.usefixtures("afterwards_as_before")
def test_a_question_is_read_and_answered(
    watch: Any, script: bool, task: Callable[[Page], None]
) -> None:
    page = watch(java_script_enabled=script).open("/console")
    task(page)
    expect(page.get_by_text("Svaret är på väg till den som frågade.")).to_be_visible()
    expect(page.get_by_text("4 ärenden")).to_be_visible()


def test_a_report_is_chosen_and_read_without_javascript(watch: Any) -> None:
    page = watch(java_script_enabled=False).open("/console")
    page.get_by_role("link", name="Statistik").click()
    page.get_by_label("Rapport").select_option("Antal utfärdade intyg per typ")
    page.get_by_label("Enhet").select_option(index=1)
    page.get_by_role("button", name="Visa", exact=True).click()
    expect(page).to_have_url(re.compile("report=intyg-type"))
    expect(page.get_by_role("img", name="Antal utfärdade intyg per typ")).to_be_visible()
    expect(page.get_by_role("rowheader", name="nov 2026")).to_be_visible()


def test_the_same_by_keyboard_alone(watch: Any) -> None:
    page = watch().open("/console")
    for _ in range(3):  # to the content, the brand, the box
        page.keyboard.press("Tab")
    page.keyboard.type("q-1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/console/intyg/"))
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Läsbart intyg":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Påhittad åkomma")).to_be_visible()


WRITTEN: Final = (
    ("Postadress", "Provgatan 1"),
    ("Postnummer", "12345"),
    ("Postort", "Provstad"),
    ("Telefon", "010-000 00 00"),
    ("Arbetsplatskod", "0000000"),
    ("Vårdgivarens HSA-id", builders.CARE_PROVIDER),
    ("Vårdgivarens namn", "Provregionen"),
)


def tab_to_name(page: Page, name: str) -> None:
    """Press Tab until what is called so has the focus."""
    focused = page.get_by_label(name, exact=True).or_(page.get_by_role("button", name=name))
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused.evaluate_all("all => all.includes(document.activeElement)"):
            return
    raise AssertionError(f"no way to {name}")


def type_into(page: Page, name: str, text: str) -> None:
    tab_to_name(page, name)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
@pytest.mark.usefixtures("afterwards_as_before")
def test_a_certificate_is_written_and_signed_by_keyboard_alone(watch: Any, script: bool) -> None:
    page = watch(java_script_enabled=script).open("/console/utkast")
    tab_to_name(page, "Intyg")
    page.keyboard.type("FK7210")
    for name, text in (
        ("Patientens personnummer", builders.PATIENT), ("Ditt HSA-id", SIGNER),
        ("Ditt namn", "Test Läkare"), ("Enhetens HSA-id", builders.UNIT),
    ):  # fmt: skip
        type_into(page, name, text)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/console/utkast/.{36}$"))
    type_into(page, "Datum", "20270301")
    for name, text in WRITTEN:
        type_into(page, name, text)
    if script:
        expect(page.get_by_role("status")).to_have_text(re.compile("^Sparat"))
        expect(page.get_by_text("Utkast, kan signeras")).to_be_visible()
    tab_to_name(page, "Signera")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/console/intyg/"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.usefixtures("afterwards_as_before")
def test_what_is_not_asked_folds_and_what_is_wrong_is_told_as_one_types(watch: Any) -> None:
    page = watch().open(DRAFT)
    work = page.locator("#q-33 details")
    expect(work).to_have_attribute("open", "")
    page.get_by_label("50%", exact=True).uncheck()
    expect(work).not_to_have_attribute("open", "")
    expect(page.locator("#draft-progress")).not_to_contain_text("33. Arbets")
    page.get_by_label("50%", exact=True).check()
    expect(work).to_have_attribute("open", "")
    page.get_by_label("Huvuddiagnos kod").fill("X")
    expect(page.locator("#q-6 .fault").first).to_contain_text("Skriv en diagnoskod")
    page.get_by_label("Huvuddiagnos kod").fill("M545")
    expect(page.locator("#q-6 .fault")).to_have_count(0)


def test_the_doctor_is_asked_without_javascript(watch: Any) -> None:
    page = watch(java_script_enabled=False).open("/console/doctor")
    page.get_by_role("button", name="Kontrollera allt").click()
    expect(page.get_by_text("Databasen finns, är hel")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text(re.compile("att veta|att rätta|Allt håller"))


def test_figures_come_anew_while_somebody_looks(watch: Any) -> None:
    watched = watch()
    watched.context.add_init_script(
        "const real = setInterval; window.setInterval = (f, ms) => real(f, ms / 50)"
    )
    page = watched.open("/console")
    before = page.locator(".aside").inner_text()
    expect(page.locator(".aside")).not_to_have_text(before)
    page.get_by_role("link", name="Stoppa uppdateringen").click()
    expect(page).to_have_url(re.compile("refresh=off"))
    stopped = page.locator(".aside").inner_text()
    count = len(watched.asked)
    page.wait_for_timeout(700)
    assert page.locator(".aside").inner_text() == stopped
    assert len(watched.asked) == count


def test_an_id_is_copied(watch: Any) -> None:
    watched = watch()
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open(INTYG)
    page.get_by_role("button", name="Kopiera").first.click()
    expect(page.get_by_role("button", name="Kopierat")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == lively.SENT


def test_language_and_theme_are_chosen(watch: Any) -> None:
    page = watch(locale="en-GB").open("/console")
    expect(page.get_by_role("heading", level=1)).to_have_text("How things are")
    page.get_by_role("link", name="Svenska").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Läget just nu")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("link", name="mörkt").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


@pytest.mark.parametrize(
    ("locale", "theme", "width"), [("en-GB", "light", 1360), ("sv-SE", "dark", 360)]
)
def test_axe_finds_nothing_and_nothing_is_cut(
    watch: Any, locale: str, theme: str, width: int
) -> None:
    """No rule is disabled; 340 CSS pixels are what 400 % leaves of a screen of 1360."""
    watched = watch(locale=locale, color_scheme=theme, viewport={"width": width, "height": 900})
    assert_fit_to_read(watched, PLACES)


def test_what_others_wrote_runs_nowhere(watch: Any) -> None:
    watched = watch()
    dialogs: list[str] = []
    watched.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page = watched.open(f"{INTYG}?tab=questions")
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    assert dialogs == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
