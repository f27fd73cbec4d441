"""The sentences of the frame that every page stands in."""

from collections.abc import Mapping
from typing import Final

from intyg.pages.words import Text

FRAME_TEXTS: Final[Mapping[str, Text]] = {
    "skip": ("Till innehållet", "Skip to content"),
    "menu": ("Meny", "Menu"),
    "navigation": ("Huvudmeny", "Main menu"),
    "search.label": ("Sök", "Search"),
    "search.hint": (
        "Sök intygs-id, korrelations-id, meddelande-id eller HSA-id",
        "Search certificate id, correlation id, message id or HSA-id",
    ),
    "language.sv": ("Svenska", "Svenska"),
    "language.en": ("English", "English"),
    "env.production": ("Produktion", "Production"),
    "env.production.means": (
        "Skarpa patienter och skarpa mottagare.",
        "Real patients and real recipients.",
    ),
    "env.test": ("Testmiljö", "Test"),
    "env.test.means": (
        "Inget härifrån når en skarp myndighet.",
        "Nothing from here reaches a real authority.",
    ),
    "env.demo": ("Demo", "Demo"),
    "env.demo.means": (
        "Påhittade personer. Mottagarna är attrapper.",
        "Invented people. The recipients are mocks.",
    ),
    "env.mock": ("Attrapp", "Mock"),
    "env.mock.means": (
        "Påhittade personer och låtsade myndigheter. Inget når någon på riktigt.",
        "Invented people and pretended authorities. Nothing reaches anybody real.",
    ),
    "foot.clock": ("Klockan följer Europe/Stockholm", "Times are Europe/Stockholm"),
    "foot.look": ("Utseende:", "Appearance:"),
    "foot.auto": ("som webbläsaren", "as the browser"),
    "foot.light": ("ljust", "light"),
    "foot.dark": ("mörkt", "dark"),
    "foot.logout": ("Logga ut", "Log out"),
    "copy": ("Kopiera", "Copy"),
    "copied": ("Kopierat", "Copied"),
    "error.home": ("Till översikten", "To the overview"),
    "error.number": ("Fel {status}", "Error {status}"),
    "error.400.title": ("Det där gick inte att läsa", "That could not be read"),
    "error.400.text": (
        "Något i adressen eller formuläret är fel. Gå tillbaka och försök igen.",
        "Something in the address or the form is wrong. Go back and try again.",
    ),
    "error.host.title": ("Fel adress", "Wrong address"),
    "error.host.text": (
        "Sidan har ett annat namn. Lägg till namnet i console.hosts i inställningarna, eller"
        " använd adressen i siffror.",
        "The site goes by another name. Add the name to console.hosts in the settings, or use"
        " the numeric address.",
    ),
    "error.origin.title": ("Formuläret kom från en annan sida", "The form came from another site"),
    "error.origin.text": (
        "Inget har ändrats. Öppna sidan här och gör om det.",
        "Nothing has changed. Open the page here and do it again.",
    ),
    "error.form.title": ("Formuläret är för gammalt", "The form is too old"),
    "error.form.text": (
        "Inget har ändrats. Ladda om sidan och gör om det.",
        "Nothing has changed. Reload the page and do it again.",
    ),
    "error.role.title": ("Din roll får inte göra detta", "Your role may not do this"),
    "error.role.text": (
        "Inget har ändrats. Be någon med en annan roll, eller logga in med en annan nyckel.",
        "Nothing has changed. Ask somebody with another role, or log in with another key.",
    ),
    "error.404.title": ("Sidan finns inte", "There is no such page"),
    "error.404.text": (
        "Kontrollera adressen eller sök i rutan överst.",
        "Check the address, or search in the box at the top.",
    ),
    "error.405.title": ("Så går det inte att fråga", "It cannot be asked that way"),
    "error.405.text": (
        "Sidan tar bara emot formulär. Gå tillbaka och använd knappen.",
        "The page takes forms only. Go back and use the button.",
    ),
    "error.503.title": ("Databasen svarar inte", "The database does not answer"),
    "error.503.text": (
        "Inget har ändrats. Vänta en stund och ladda om sidan. /health säger hur det står till.",
        "Nothing has changed. Wait a moment and reload the page. /health says how things are.",
    ),
    "error.500.title": ("Något gick fel här", "Something went wrong here"),
    "error.500.text": (
        "Ladda om sidan. Händer det igen: loggen säger console.unexpected vid samma tid.",
        "Reload the page. If it happens again: the log says console.unexpected at the same time.",
    ),
}
