"""The tables that the pages share with the code, made from the code.

    <!-- table: name -->
    … what `TABLES[name]()` says …
    <!-- end -->

`INTYG_DOCS_UPDATE=1 pytest tests/docs` writes them into the pages.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from pydantic import BaseModel

from intyg.adapter import guard
from intyg.adapter.cli.exit_codes import EXITS
from intyg.adapter.deliver.answer import AnswerKind
from intyg.adapter.deliver.decision import TABLE, Row, Transfer
from intyg.adapter.doctor.checks import CHECKS
from intyg.adapter.domain.delivery import OutcomeKind
from intyg.adapter.domain.destination import DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.meddelande import Direction, FragaState
from intyg.adapter.domain.person import GuardDecision, PatientKind
from intyg.adapter.domain.platform_fault import FAULTS
from intyg.adapter.domain.way import WayNews
from intyg.adapter.rules.engine_events import TELLINGS, Act
from intyg.adapter.rules.fraga_moves import (
    MOVES,
    Cause,
    Refusal,
    Standing,
)
from intyg.adapter.rules.meddelande_rules import RULES
from intyg.adapter.rules.relation_rules import RELATION_RULES, RelationRule
from intyg.adapter.settings.guard_answers import MAY_BE_TOLD, TOLD, BlockReply
from intyg.adapter.signature import SignatureCode, SignatureOutcome, verifier
from intyg.adapter.signature.result import TEXTS
from intyg.mocks import forsakringskassan, journalsystem
from intyg.mocks.control import Operation
from intyg.mocks.rules.answers import DELAYS, EFFECTS, kinds
from intyg.mocks.rules.model import Match, Rule
from intyg.mocks.rules.trouble import TROUBLES
from intyg.mocks.rules.xpath import PREFIXES
from intyg.mocks.skatteverket.persona import PERSONA as SKATTEVERKET
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.examples.requests import (
    REQUESTS,
    certificate_type,
    certificate_type_text,
    options_of,
)
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import Engine
from intyg.schemas.typefile.lookup import IntygTypes
from tests.flows.case_table import CASES

PLACE: Final = re.compile(r"<!-- table: ([\w ]+) -->\n(.*?)<!-- end -->", re.DOTALL)

_WHEN_SIGNING: Final = list(SignatureCode)[list(SignatureCode).index(SignatureCode.INTYGS_ID) :]


def filled(page: str) -> str:
    """A page with its tables as they should be."""
    return PLACE.sub(
        lambda match: f"<!-- table: {match[1]} -->\n\n{TABLES[match[1]]()}\n<!-- end -->", page
    )


def _table(head: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    rows = [list(head), *(list(row) for row in body)]
    rows.insert(1, ["---"] * len(rows[0]))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines[1] = lines[1].replace(" ", "")
    return "\n".join(lines) + "\n"


def _rules(direction: Direction) -> str:
    return _table(
        ("Rule", "Element", "Says"),
        (
            (
                f"`{rule.id}`",
                f"`{rule.field}`",
                _plain(rule.text) + (" (a remark)" if rule.severity is Severity.WARNING else ""),
            )
            for rule in RULES[direction]
        ),
    )


def _examples() -> str:
    return _table(
        ("Contract", "Options, and what is usual"),
        ((key.replace(":", " "), _options(key)) for key in sorted(REQUESTS)),
    )


def _options(key: str) -> str:
    """What an example can be told, beside who, when and which certificate."""
    told = [
        f"`--{option.replace('_', '-')}`" + (f" `{usual}`" if usual else "")
        for option, usual in options_of(key).items()
    ]
    typed = {part.fill for part in REQUESTS[key]} & {certificate_type, certificate_type_text}
    return ", ".join([*told, *(["`--type` `FK7804`"] if typed else [])])


def _platform_faults() -> str:
    return _table(
        ("Code", "`faultcode`", "Says"),
        ((f"{code}", f"`{fault}`", text) for code, (fault, text) in FAULTS.items()),
    )


def _relations() -> str:
    def relations(rule: RelationRule) -> str:
        return ", ".join(sorted(rule.relations)) if rule.relations else "any other code"

    return _table(
        ("Rule", "Relations", "Says"),
        ((f"`{rule.id}`", relations(rule), _plain(rule.text)) for rule in RELATION_RULES),
    )


def _acts() -> str:
    return _table(
        ("What happens", *(f"`{engine}`" for engine in Engine)),
        ((act, *(TELLINGS[act, engine].says for engine in Engine)) for act in Act),
    )


def _engines() -> str:
    def of(engine: Engine) -> str:
        return ", ".join(
            header.key.replace("/", " ")
            for header in IntygTypes().headers()
            if header.engine is engine
        )

    return _table(
        ("`engine`", "Certificates of"), ((f"`{engine}`", of(engine)) for engine in Engine)
    )


def _differences() -> str:
    def rule(says: str) -> str:
        return f", `{says}`" if says.isupper() else ""

    return _table(
        ("Case", "Nationally", "Here", "Why"),
        (
            (case.row, f"`{case.national}`", f"`{case.ours}`{rule(case.says)}", case.because)
            for case in CASES
            if case.because
        ),
    )


def _codes() -> str:
    def outcome(code: SignatureCode) -> str:
        if code in _WHEN_SIGNING:
            return "when signing"
        return f"`{verifier._OUTCOMES.get(code, SignatureOutcome.REFUSED)}`"

    return _table(
        ("Code", "Outcome", "Says"),
        ((f"`{code}`", outcome(code), _plain(TEXTS[code])) for code in SignatureCode),
    )


def _policy() -> str:
    def decision(
        role: DestinationRole, kind: DestinationKind, environment: Environment, patient: PatientKind
    ) -> str:
        found = guard.POLICY[role, kind, environment, patient]
        return found.value if found is GuardDecision.SEND else f"**{found.value}**"

    return _table(
        ("`role`", "`kind`", "`environment`", "test patient", "not test", "cannot tell"),
        (
            (
                role.value,
                kind.value,
                environment.value,
                *(decision(role, kind, environment, patient) for patient in PatientKind),
            )
            for role in DestinationRole
            for kind in DestinationKind
            for environment in Environment
        ),
    )


_TOLD: Final[Mapping[BlockReply, str]] = {
    BlockReply.VALIDATION_ERROR: "ERROR `VALIDATION_ERROR`; nothing is stored but the block",
    BlockReply.SKIPPED: "OK: nothing is sent on, and nobody is told",
    BlockReply.LOCAL_ONLY: "OK: done here, the authority is not told",
    BlockReply.NOT_FORWARDED: "INFO: done here, and that it went no further",
}


def _told() -> str:
    return _table(
        ("Contract", "The caller is told", "`guard.told` may say"),
        (
            (contract, _TOLD[told], ", ".join(f"`{way}`" for way in sorted(MAY_BE_TOLD[contract])))
            for contract, told in TOLD.items()
        ),
    )


def _ways() -> str:
    return _table(
        ("`guard.told`", "The caller is told"), ((f"`{w}`", _TOLD[w]) for w in BlockReply)
    )


_OUTCOMES: Final[Mapping[OutcomeKind, str]] = {
    OutcomeKind.DELIVERED: "**delivered**",
    OutcomeKind.REFUSED: "**refused**",
    OutcomeKind.RETRY: "sent again",
    OutcomeKind.UNKNOWN: "unknown",
}


def _decisions() -> str:
    return _table(
        ("What came back", "For", "Outcome", "Since"),
        ((_came(row), _for(row), _outcome(row), row.why) for row in TABLE),
    )


_PARKED: Final[Mapping[WayNews, str]] = {
    WayNews.STOPS_WAY: "**parked**: the way",
    WayNews.STOPS_DESTINATION: "**parked**: the destination",
}


def _outcome(row: Row) -> str:
    if row.last:
        return "**failed**"
    return _PARKED.get(row.news) or _OUTCOMES[row.kind]


def _came(row: Row) -> str:
    if row.transfer is Transfer.NOT_SENT:
        return "no connection" + (": TLS failed" if row.tls else "")
    if row.transfer is Transfer.NO_ANSWER:
        return "sent, at least in part; no whole answer"
    if row.answer is AnswerKind.RESULT:
        errors = f" {_codes_of(row.error)}" if row.error else ""
        known = " `MEDDELANDE_ID_NOT_UNIQUE_ERROR`" if row.known_id else ""
        return f"{_codes_of(row.result)}{errors}{known}"
    if row.answer is AnswerKind.FAULT:
        told = " that says it could not be unmarshalled" if row.marshalling else ""
        whose = ", ".join(sorted(map(str, row.producer or ())))
        producer = f"; producer: {whose}" if whose else ""
        return f"SOAP fault{told}" + (f" {', '.join(sorted(row.vp))}{producer}" if row.vp else "")
    if row.http is not None:
        first, last = row.http[0], row.http[-1]
        asks = " with `Retry-After`" if row.waits else ""
        to = f" to {last}" if last != first else ""
        return f"HTTP {first}{to}{asks}, no result or fault"
    return "anything else"


def _codes_of(codes: Iterable[str | None] | None) -> str:
    return ", ".join(f"`{code}`" for code in sorted(map(str, codes or ())))


def _for(row: Row) -> str:
    contracts = [name.partition(":")[0] for name in sorted(row.contracts or ())]
    attempts = [] if row.first_attempts is None else [f"attempts 1 to {row.first_attempts}"]
    doubtful = ["after an attempt that may have arrived"] * bool(row.doubtful)
    return "; ".join([", ".join(contracts)] * bool(contracts) + attempts + doubtful) or "all"


def _checks() -> str:
    return _table(("Check", "Holds"), ((check.name, _plain(check.holds)) for check in CHECKS))


def _moves() -> str:
    def moved(standing: Standing, cause: Cause) -> str:
        move = MOVES.get((standing, cause))
        if move is None:
            return ""
        return (
            f"`{move.rule}`" if isinstance(move, Refusal) else f"{_STATES[move.to]}, {move.event}"
        )

    return _table(
        ("Where it stands", *Cause),
        ((standing, *(moved(standing, cause) for cause in Cause)) for standing in Standing),
    )


_STATES: Final[Mapping[FragaState, str]] = {
    FragaState.OPEN_CARE: "open",
    FragaState.OPEN_RECIPIENT: "open",
    FragaState.ANSWERED: "answered",
    FragaState.HANDLED: "handled",
}


def _control() -> str:
    """The mocks' operations; what not every mock has says who has it."""
    contracts, types = Contracts(), IntygTypes()
    mocks = (
        forsakringskassan.PERSONA.make(contracts, types),
        SKATTEVERKET.make(contracts, types),
        journalsystem.PERSONA.make(contracts, types),
    )
    who: dict[tuple[str, str, str], list[str]] = {}
    for mock in mocks:
        for each in mock.operations:
            path = f"`{each.method} /control{re.sub(r'<(?:[a-z]+:)?', '<', each.path)}`"
            who.setdefault((path, each.summary, _takes(each)), []).append(mock.name)
    names = {
        ("Försäkringskassan", "Skatteverket", "Journalsystem"): "",
        ("Försäkringskassan", "Skatteverket"): "authorities",
        ("Journalsystem",): "EHR",
    }
    return _table(
        ("Method and path", "Does", "Takes", "Only"),
        ((*row, names.get(tuple(has), ", ".join(has))) for row, has in who.items()),
    )


def _takes(operation: Operation) -> str:
    """The fields of query and body, those first that must be there."""
    model = operation.body or operation.query
    fields = {} if model is None else model.model_fields
    names = sorted(fields, key=lambda name: not fields[name].is_required())
    takes = ["a filter"] * ("where" in operation.takes)
    return ", ".join(takes + [f"`{name}`" for name in names])


def _troubles() -> str:
    return _table(
        ("Address", "There the mock"), ((f"`{_code(each.name)}`", each.does) for each in TROUBLES)
    )


def _code(name: str) -> str:
    return " … ".join(f"FK-{each}" for each in name.split(" … ")).replace(" … ", "` … `")


def _effects() -> str:
    """Every kind of effect with its own fields, those that must be there in bold."""
    return _table(
        ("`kind`", "Callers see", "Fields", "Takes the call"),
        (
            (
                f"`{kind}`",
                _first_line(model),
                _fields(model, {"kind", "store", "delay"}),
                _takes_call(model),
            )
            for kind, model in kinds(*EFFECTS).items()
        ),
    )


def _takes_call(effect: type[BaseModel]) -> str:
    store = effect.model_fields["store"]
    if store.annotation is not bool:
        return "always"
    return "unless told not to" if store.default else "when told to"


def _delays() -> str:
    return _table(
        ("`kind`", "Is", "Fields"),
        (
            (f"`{kind}`", _first_line(model), _fields(model, {"kind"}))
            for kind, model in kinds(*DELAYS).items()
        ),
    )


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0].rstrip(".")


def _fields(model: type[BaseModel], without: set[str]) -> str:
    fields = {k: v for k, v in model.model_fields.items() if k not in without}
    return ", ".join(
        f"**`{name}`**" if field.is_required() else f"`{name}`" for name, field in fields.items()
    )


def _described(model: type[BaseModel]) -> str:
    return _table(
        ("Field", "Is"),
        (
            (f"`{name}`", field.description or "see below")
            for name, field in model.model_fields.items()
        ),
    )


def _prefixes() -> str:
    return _table(
        ("Prefix", "Namespace"),
        (
            *((f"`{prefix}`", f"`{uri}`") for prefix, uri in PREFIXES.items()),
            ("`tns`", "that of the call's own request element"),
        ),
    )


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


def _exits() -> str:
    return _table(
        ("`intyg …`", "0", "1", "2"),
        ((f"`{command}`", said.zero, said.one or "–", said.two) for command, said in EXITS.items()),
    )


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "examples": _examples,
    "faults of the platform": _platform_faults,
    "rules TO_CARE": lambda: _rules(Direction.TO_CARE),
    "rules TO_RECIPIENT": lambda: _rules(Direction.TO_RECIPIENT),
    "rules of relations": _relations,
    "acts and engines": _acts,
    "engines": _engines,
    "differences": _differences,
    "signature codes": _codes,
    "policy": _policy,
    "told": _told,
    "ways to tell": _ways,
    "decisions": _decisions,
    "moves": _moves,
    "checks": _checks,
    "exit codes": _exits,
    "control": _control,
    "fields of a rule": lambda: _described(Rule),
    "criteria of a rule": lambda: _described(Match),
    "effects": _effects,
    "delays": _delays,
    "prefixes": _prefixes,
    "trouble addresses": _troubles,
}
