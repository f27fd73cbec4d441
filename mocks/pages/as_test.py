"""
What was clicked, in sentences of pytest.

A certificate that came from elsewhere is registered and sent by the test itself: where it came, or,
if it was there already, before it is first spoken of. Calls and clicks are put in order by the
numbers of the journals, since a clock may stand still.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from intyg.mocks.pages.recorder import Click
from intyg.mocks.wire.ids import ById, same_id

ADAPTER: Final = "adapter"
EHR: Final = "journalsystem"
CLOCK: Final = "intyg_clock"

_OWN_TYPES: Final = {
    ADAPTER: "Adapter",
    EHR: "Journalsystem",
    CLOCK: "TestClock",
    "forsakringskassan": "Forsakringskassan",
}
_AUTHORITY: Final = "Authority"
_MODULES: Final = {
    "Adapter": "intyg.sandbox.adapter_under_test",
    "TestClock": "intyg.mocks.testing.clock",
    "Rule": "intyg.mocks.rules.model",
}
_TESTING: Final = "intyg.mocks.testing"
_WIDTH: Final = 100
_INDENT: Final = 4


@dataclass(frozen=True)
class Came:
    """
    A certificate that came to an authority.

    Attributes:
        mock, part: The authority, as fixture and as recipient.
        call: Number of the first call that brought it.
        held: Whether the authority took it.
        relation: Code and id of the older certificate, if it names one.
    """

    intygs_id: str
    typ: str
    mock: str
    part: str
    call: int
    held: bool
    relation: tuple[str, str] | None = None


def as_test(
    clicks: Sequence[Click],
    came: Sequence[Came],
    acted: Callable[[str, str], int | None],
) -> str:
    """
    A file with one test.

    Args:
        clicks: In order.
        came: Certificates in order of arrival.
        acted: How often a rule of a mock has acted; None: it is not there any more.
    """
    return _Test(clicks, came, acted).text()


@dataclass
class _Names:
    """Names of variables: `intyg`, `intyg_2`."""

    by_id: ById[str] = field(default_factory=ById)
    used: dict[str, int] = field(default_factory=dict)

    def new(self, word: str, about: str) -> str:
        self.used[word] = count = self.used.get(word, 0) + 1
        self.by_id[about] = name = word if count == 1 else f"{word}_{count}"
        return name


class _Test:
    def __init__(
        self,
        clicks: Sequence[Click],
        came: Sequence[Came],
        acted: Callable[[str, str], int | None],
    ) -> None:
        self._clicks = clicks
        self._came = came
        self._acted = acted
        self._lines: list[str] = []
        self._fixtures: dict[str, None] = dict.fromkeys((ADAPTER, EHR))
        self._types: set[str] = set()
        self._names = _Names()
        self._events: dict[tuple[str, str], int] = {}
        self._sent: dict[tuple[str, str], None] = {}  # mock and name, not seen there yet
        self._put: set[str] = set()

    def text(self) -> str:
        for click in self._clicks:
            self._came_before(click)
            _SENTENCES[click.what](self, click)
        self._came_before(None)
        self._end()
        return "\n".join([*self._head(), *(f"    {line}" for line in self._lines)]) + "\n"

    # --- certificates -------------------------------------------------------------------------

    def _came_before(self, click: Click | None) -> None:
        """Register what came since the first click, and before this one."""
        if not self._clicks:
            return
        first = self._clicks[0].seen
        for each in self._came:
            since = each.call > first.get(each.mock, 0)
            before = click is None or each.call <= click.seen.get(each.mock, 0)
            if since and before:
                self._register(each)

    def _intyg(self, intygs_id: str) -> str:
        """The name of a certificate that is spoken of."""
        for each in self._came:
            if same_id(each.intygs_id, intygs_id):
                self._register(each)
        if self._name(intygs_id) is None:
            self._say(f"# where {intygs_id} came from was not seen here")
            name = self._names.new("intyg", intygs_id)
            self._say(f"{name} = {EHR}.register()")
        return self._names.by_id[intygs_id]

    def _register(self, came: Came) -> None:
        if self._name(came.intygs_id) is not None:
            return
        name = self._names.new("intyg", came.intygs_id)
        said = [quoted(came.typ)]
        if came.relation is not None and came.relation[1] in self._names.by_id:
            code, older = came.relation
            said.append(f"relation=({quoted(code)}, {self._names.by_id[older]}.intygs_id)")
        self._say(f"{name} = {EHR}.register({', '.join(said)})")
        self._send(f"{EHR}.send({name}{_to(came.part)})", name, came.part)

    def _send(self, sentence: str, name: str, part: str) -> None:
        self._say(sentence)
        mock = next((each.mock for each in self._came if each.part == part), None)
        if mock is not None:
            self._sent[mock, name] = None

    # --- sentences ----------------------------------------------------------------------------

    def ask(self, click: Click) -> None:
        values = click.values
        frage = {row["frage_id"]: row["text"] for row in values.get("komplettering", ())}
        more = {"sista_datum_for_svar": values.get("sista_datum_for_svar")}
        about = values["intygs_id"]
        name = self._question(
            click, about, values["sent"], values["amne"], frage, values["text"], **more
        )
        if click.accepted:
            self._told("NYFRFM", about)
        else:
            self._say(f"assert not {name}.accepted")

    def remind(self, click: Click) -> None:
        about, question = click.values["intygs_id"], click.values["question"]
        meddelande_id = click.values["meddelande_id"]
        if self._name(meddelande_id) is None:
            self._question(
                click, about, meddelande_id, question["amne"], question["frage"], question["text"],
                accepted=True,
            )  # fmt: skip
            self._told("NYFRFM", about)
        check = "" if click.accepted else ", check=False"
        self._say(f"{self._of(click)}.remind({self._names.by_id[meddelande_id]}{check})")
        if click.accepted:
            self._told("NYFRFM", about)

    def answer(self, click: Click) -> None:
        about, question = click.values["intygs_id"], click.values["question"]
        meddelande_id, mock = click.values["meddelande_id"], self._of(click)
        intyg = self._intyg(about)
        if self._name(meddelande_id) is None:
            self._await_intyg(mock, intyg)
            name = self._names.new("question", meddelande_id)
            said = f"{quoted(question['amne'])}, {intyg}, text={quoted(question['text'])}"
            self._say(f"{name} = {EHR}.ask({said})")
            self._say(f"{mock}.await_message({intyg}, meddelande_id={name}.meddelande_id)")
        check = "" if click.accepted else ", check=False"
        name = self._names.by_id[meddelande_id]
        self._say(f"{mock}.answer({name}, {quoted(click.values['text'])}{check})")
        if click.accepted:
            self._told("NYSVFM", about)

    def misbehave(self, click: Click) -> None:
        mock, values = self._of(click), click.values
        count = self._times(click)
        words = [quoted(each) for each in (values["name"], values["detail"]) if each]
        if count == 0:
            self._say(f"# {mock} was to answer {values['name']} to {values['contract']}; none came")
            return
        times = "" if count is None else f".times({count})"
        expected = f"{mock}.expect({quoted(values['contract'])})"
        self._say(f"{expected}.answers({', '.join(words)}){times}")

    def _times(self, click: Click) -> int | None:
        rule_id = click.values["rule_id"]
        removed = (each for each in self._clicks if each.what == "remove")
        for each in removed:
            if each.values["rule_id"] == rule_id:
                return int(each.values["acted"])
        return self._acted(click.mock, rule_id)

    def switch_on(self, click: Click) -> None:
        self._types.add("Rule")
        self._put.add(click.values["rule_id"])
        self._say(f"{self._of(click)}.put_rule(Rule.model_validate({click.values['rule']!r}))")

    def switch_off(self, click: Click) -> None:
        if click.values["rule_id"] in self._put:
            self.switch_on(click)
        else:
            self._say(f"# the rule {click.values['rule_id']} was switched off")

    def remove(self, click: Click) -> None:
        self._say(f"# the rule {click.values['rule_id']} was removed")

    def clock(self, click: Click) -> None:
        for mock, name in self._sent:
            call = f'await_calls("RegisterCertificate", intygs_id={name}.intygs_id)'
            self._say(f"{self._use(mock)}.{call}")
        by = click.values.get("by")
        self._say(f"{self._of(click)}.{click.what}({quoted(by) if by else ''})")

    def draft(self, click: Click) -> None:
        name = self._names.new("intyg", click.values["new"])
        order = f"{EHR}.draft({quoted(click.values['typ'])})"
        self._say(f"{name} = {order}.fill().ready().sign()")
        self._told("SIGNAT", click.values["new"])

    def complement(self, click: Click) -> None:
        older = self._intyg(click.values["intygs_id"])
        name = self._names.new("intyg", click.values["new"])
        self._say(f"{name} = {EHR}.complement({older}).fill().ready().sign()")
        self._told("SIGNAT", click.values["new"])

    def send(self, click: Click) -> None:
        name, to = self._intyg(click.values["intygs_id"]), click.values["to"]
        check = "" if click.accepted else ", check=False"
        self._send(f"{EHR}.citizen().send({name}{_to(to)}{check})", name, to)

    def damaged(self, click: Click) -> None:
        typ, damage = click.values["typ"], click.values["damage"]
        name = self._names.new("damaged", click.values["intygs_id"])
        check = "" if click.accepted else ", check=False"
        self._say(f"{name} = {EHR}.damaged({quoted(typ)}, {quoted(damage)})")
        self._say(f"answer = {EHR}.register({name}{check}).answer")
        wanted = click.values["error_id"] or click.values["result_code"]
        field = "error_id" if click.values["error_id"] else "code"
        self._say(f"assert answer is not None and answer.{field} == {quoted(wanted)}")

    # --- inside -------------------------------------------------------------------------------

    def _question(
        self,
        click: Click,
        about: str,
        meddelande_id: str,
        amne: str,
        frage: Mapping[str, str],
        text: str,
        *,
        accepted: bool | None = None,
        **more: str | None,
    ) -> str:
        """Ask, and give the question a name."""
        intyg, mock = self._intyg(about), self._of(click)
        self._sent.pop((mock, intyg), None)  # to ask waits for it
        name = self._names.new("asked", meddelande_id)
        said = [quoted(amne), intyg, *_frage(frage, text), f"text={quoted(text)}"]
        said += [f"{key}={quoted(value)}" for key, value in more.items() if value]
        if not (click.accepted if accepted is None else accepted):
            said.append("check=False")
        self._say_call(f"{name} = {mock}.ask", said)
        return name

    def _say_call(self, called: str, said: Sequence[str]) -> None:
        """A call, on several lines where one would be too long."""
        line = f"{called}({', '.join(said)})"
        if len(line) + _INDENT <= _WIDTH:
            self._say(line)
        else:
            for each in (f"{called}(", *(f"    {part}," for part in said), ")"):
                self._say(each)

    def _told(self, kod: str, intygs_id: str) -> None:
        """The EHR is told an event, once more than before."""
        key = (kod, self._names.by_id[intygs_id])
        self._events[key] = count = self._events.get(key, 0) + 1
        more = f", count={count}" if count > 1 else ""
        self._say(f"{EHR}.await_event({quoted(kod)}, {key[1]}{more})")

    def _await_intyg(self, mock: str, name: str) -> None:
        self._sent.pop((mock, name), None)
        self._say(f"{mock}.await_intyg({name})")

    def _end(self) -> None:
        """What arrived in the end arrives in the test, too."""
        held = {(each.mock, self._name(each.intygs_id)) for each in self._came if each.held}
        for mock, name in [each for each in self._sent if each in held]:
            self._await_intyg(self._use(mock), name)
        if not self._lines:
            self._say("pass  # nothing was clicked")

    def _name(self, about: str) -> str | None:
        return self._names.by_id.get(about)

    def _of(self, click: Click) -> str:
        return self._use(click.mock)

    def _use(self, fixture: str) -> str:
        self._fixtures[fixture] = None
        return fixture

    def _say(self, line: str) -> None:
        self._lines.append(line)

    def _head(self) -> Iterator[str]:
        typed = [(name, _OWN_TYPES.get(name, _AUTHORITY)) for name in self._fixtures]
        yield '"""What was clicked on the pages of the mocks."""'
        yield ""
        yield from sorted(_imports({*self._types, *(kind for _, kind in typed)}))
        yield from ("", "")
        arguments = ", ".join(f"{name}: {kind}" for name, kind in typed)
        line = f"def test_what_was_clicked({arguments}) -> None:"
        if len(line) <= _WIDTH:
            yield line
        else:
            lines = (f"    {name}: {kind}," for name, kind in typed)
            yield from ("def test_what_was_clicked(", *lines, ") -> None:")


_SENTENCES: Final[Mapping[str, Callable[[_Test, Click], None]]] = {
    "ask": _Test.ask,
    "remind": _Test.remind,
    "answer": _Test.answer,
    "misbehave": _Test.misbehave,
    "switch_on": _Test.switch_on,
    "switch_off": _Test.switch_off,
    "remove": _Test.remove,
    "advance": _Test.clock,
    "freeze": _Test.clock,
    "run": _Test.clock,
    "draft": _Test.draft,
    "complement": _Test.complement,
    "send": _Test.send,
    "damaged": _Test.damaged,
}


def _imports(types: set[str]) -> Iterator[str]:
    by_module: dict[str, list[str]] = {}
    for kind in sorted(types):
        by_module.setdefault(_MODULES.get(kind, _TESTING), []).append(kind)
    for module, kinds in by_module.items():
        yield f"from {module} import {', '.join(kinds)}"


def _to(part: str) -> str:
    return "" if part == "FKASSA" else f", to={quoted(part)}"


def _frage(frage: Mapping[str, str], text: str) -> list[str]:
    """Which questions are to be completed; what is wanted there is the text, unless it is said."""
    if not frage:
        return []
    if list(frage.values()) == [text]:
        return [f"frage={quoted(next(iter(frage)))}"]
    pairs = (f"{quoted(key)}: {quoted(value)}" for key, value in frage.items())
    return [f"frage={{{', '.join(pairs)}}}"]


def quoted(text: str) -> str:
    """A text as code; nothing in it can turn around what stands beside it, or end it."""
    written = repr(f"'{text}")
    return f'"{written[2:]}' if written.startswith('"') else repr(text)
