"""The words for certificate types: what a file in `schemas/intyg/` says, as frozen values.

Ids of svar (`35`) and delsvar (`35.1`) are text, as in the XML. Texts named `term` are Swedish, as
on the form; `message`, `when` and `note` are English.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from intyg.schemas.finding import Severity


class Role(StrEnum):
    """Who may sign."""

    LAKARE = "lakare"
    PRIVATLAKARE = "privatlakare"
    TANDLAKARE = "tandlakare"
    SJUKSKOTERSKA = "sjukskoterska"
    BARNMORSKA = "barnmorska"


class Instans(StrEnum):
    """Whether a svar carries `instans`, because it may be repeated."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    ABSENT = "absent"


class Unique(StrEnum):
    """Where a patient may have only one certificate of a type, signed and not revoked."""

    EVERYWHERE = "everywhere"
    CARE_PROVIDER = "care_provider"  # within each `vardgivare`


class Match(StrEnum):
    """
    How a code or code system is compared; the national rules differ.

    Where they use it as a pattern, a dot in it stands for any one character.
    """

    EXACT = "exact"
    TRIMMED = "trimmed"  # a pattern for all of the text; blanks around it do not count
    CONTAINS = "contains"  # a pattern for any piece of the text


@dataclass(frozen=True)
class Ref:
    """The national rule that a check stands for."""

    id: str  # within its type and version, e.g. `R21`
    severity: Severity


@dataclass(frozen=True)
class Count:
    """How many times something occurs, from `least` to `most`; None is any number."""

    least: int
    most: int | None
    too_few: Ref
    too_many: Ref


@dataclass(frozen=True)
class Values:
    """What a code or a code system may be."""

    values: tuple[str, ...]
    match: Match
    ref: Ref


@dataclass(frozen=True)
class Limit:
    """A largest length or value."""

    most: float
    ref: Ref


@dataclass(frozen=True)
class Days:
    """The first and the last day that a date may be, YYYY-MM-DD."""

    first: str
    last: str
    ref: Ref


@dataclass(frozen=True)
class CodeList:
    """A national code list; `codes` is empty for lists that live elsewhere, such as ICD-10-SE."""

    name: str
    system: str
    codes: Mapping[str, str]  # code to Swedish display text


@dataclass(frozen=True)
class Delsvar:
    """
    One part of an answer.

    Attributes:
        id: `35.1`; for additional questions `*.1`.
        type: One of `intyg.schemas.rules.kinds.KINDS`.
        code_lists: Where its codes come from, if it is a code.
        pattern: Name in `intyg.schemas.rules.kinds.PATTERNS`, and its rule.
        when: In words, when it is asked; None: always.
    """

    id: str
    term: str
    type: str
    type_refs: tuple[Ref, Ref]  # two for `boolean_or_cv`, otherwise the same twice
    count: Count
    code_lists: tuple[CodeList, ...] = ()
    system: Values | None = None
    codes: Values | None = None
    pattern: tuple[str, Ref] | None = None
    length: Limit | None = None
    code_length: Limit | None = None
    days: Days | None = None
    size: Limit | None = None  # largest absolute value of a number
    unit: Values | None = None  # of a quantity
    unique: Ref | None = None  # no two svar with the same code
    overlap: Ref | None = None  # no two periods that share more than a boundary day
    shared_day: Ref | None = None  # no two periods that share a day
    when: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Question:
    """
    One question of the form, answered by `svar` with its id.

    Attributes:
        svar: The id; for additional questions the lowest one.
        last: Highest id, only for additional questions (9001 to 9999).
        only: No delsvar other than those listed; None where nobody checks it.
        also: Ids of delsvar that do not exist but that the rule lets through;
            `*106.2`: every id that ends so.
    """

    svar: str
    term: str
    count: Count
    instans: Instans
    instans_ref: Ref
    delsvar: tuple[Delsvar, ...]
    only: Ref | None = None
    also: tuple[str, ...] = ()
    last: str | None = None
    category: str | None = None
    when: str | None = None
    note: str | None = None

    def has(self, svar: str) -> bool:
        """Whether an answer with this id is one to this question."""
        if self.last is None:
            return svar == self.svar
        return svar.isdecimal() and int(self.svar) <= int(svar) <= int(self.last)


@dataclass(frozen=True)
class Rule:
    """
    A rule across questions: at every `each` that `is_` and `where` pick, `must` holds.

    Attributes:
        each: Id of svar or delsvar, or `9001..` for every svar from that id
            up; None: the intyg.
        is_, is_not: Codes, or `yes` or `no`: only those `each` with (without) it.
        where, must: XPath 1.0 as in the file, relative to `each`.
        at_signing: Depends on today: holds when signed, perhaps not later.
        concerns: Ids of the svar and delsvar it is about.
    """

    ref: Ref
    message: str
    must: str
    each: str | None = None
    is_: tuple[str, ...] = ()
    is_not: tuple[str, ...] = ()
    where: str | None = None
    at_signing: bool = False
    concerns: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class SvarIds:
    """Which svar ids a certificate may hold."""

    ref: Ref
    also: tuple[str, ...] = ()  # ids that no question has, but that the rule lets through
    first: int | None = None  # and any id from here …
    last: int | None = None  # … to here
    ending_with: tuple[str, ...] = ()  # instead: any id that ends so (a national oversight)


@dataclass(frozen=True)
class Messages:
    """Subjects of questions: which the recipient asks, and which care may ask."""

    incoming: tuple[str, ...]
    care: tuple[str, ...]


@dataclass(frozen=True)
class Usage:
    """
    What may still be done with certificates of this type and version.

    Attributes:
        renewed_without: Svar and delsvar that are not carried over when one is renewed.
    """

    register: bool
    renew: bool
    send: bool
    replaced_by: str | None = None
    note: str | None = None
    renewed_without: tuple[str, ...] = ()


class Engine(StrEnum):
    """
    Which of the two national engines keeps certificates of a type and version.

    They tell care of the same acts by other events.
    """

    CS = "cs"  # the newer one, one service for all its types
    LEGACY = "legacy"  # the older one, a module for each type


@dataclass(frozen=True)
class IntygHeader:
    """
    What is known of a certificate type and version without its questions.

    Attributes:
        code: Form number, `FK7804`.
        version: Version of the model, `1` or `2.0`.
        engine: Whose events care is told.
        xml_code, xml_system: `typ/code` and `typ/codeSystem`: `LISJP`.
        xml_systems_seen: Other code systems that occur in its place.
        xml_versions: Values of `version` in the XML.
        former: Numbers it used to have, `7443`.
        recipient: Part code, `FKASSA`; None: not sent electronically.
        sent_on_signing: Goes to its recipient without being asked to.
        sent_on_complement: A new certificate that answers a completion
            request goes to the recipient without being asked to.
        national_rules: There is a national Schematron; only what that says
            refuses a certificate. Otherwise everything here does.
        unique: Where a patient may have only one; None: any number. One that
            replaces another is not counted against that.
    """

    code: str
    version: str
    name: str
    engine: Engine
    xml_code: str
    xml_system: str
    xml_display: str
    xml_versions: tuple[str, ...]
    aliases: tuple[str, ...]
    former: tuple[str, ...]
    recipient: str | None
    signs: tuple[Role, ...]
    sent_on_signing: bool
    sent_on_complement: bool
    messages: Messages
    usage: Usage
    national_rules: bool
    unique: Unique | None

    @property
    def key(self) -> str:
        """`FK7804/1`, the first part of its rule ids."""
        return f"{self.code}/{self.version}"


@dataclass(frozen=True)
class IntygType(IntygHeader):
    """A certificate type and version, whole."""

    questions: tuple[Question, ...] = ()
    rules: tuple[Rule, ...] = ()
    svar_ids: SvarIds | None = None
    instans: Ref | None = None  # every instans is at least 1
    unit_address: Ref | None = None  # the unit's address and telephone are filled in
    patient_address: Ref | None = None
    same_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_checked: Mapping[str, str] = field(default_factory=dict)  # rule id to reason

    def question(self, svar: str) -> Question:
        """The question with this id; KeyError."""
        for question in self.questions:
            if question.svar == svar:
                return question
        raise KeyError(svar)

    def question_of(self, svar: str) -> Question | None:
        """The question that an id is answered to; that of additional ones for 9001 and on."""
        return next((each for each in self.questions if each.has(svar)), None)

    def delsvar(self, delsvar: str) -> Delsvar:
        """The part of an answer with this id; KeyError."""
        parts = (part for question in self.questions for part in question.delsvar)
        for part in parts:
            if part.id == delsvar:
                return part
        raise KeyError(delsvar)

    def term(self, node_id: str) -> str:
        """Swedish term and id, `annan grund (1.3)`, of a svar or delsvar; KeyError."""
        node = self.delsvar(node_id) if "." in node_id else self.question(node_id)
        return f"{node.term} ({node_id})"
