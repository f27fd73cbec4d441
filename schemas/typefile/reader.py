"""Reading a certificate type file, `schemas/intyg/*.yaml`, and refusing wrong ones.

A file says a type and version: a header, a question tree and rules across questions.
A check stands beside its value with the id of the national rule that it stands for in parentheses:

    count: 1..4 (R9)         two ids: the first for too few, the second for too many; - is none
    type: cv (R32)
    length: 53 (S-q18-18.2)
    codes: A B (R34?)        `?`: a warning, whatever the type's other rules are
    only: also 58.3 (R51)    a delsvar id that does not exist, but that the rule lets through;
                             *58.3: every id that ends so

A check without an id gets one made of its place and name (`35.1:length`). It refuses a certificate
only in a type without national rules: otherwise the national service would let it pass.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final, TypeVar

import yaml
from lxml import etree

from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import (
    CodeList,
    Count,
    Days,
    Delsvar,
    Engine,
    Instans,
    IntygHeader,
    IntygType,
    Limit,
    Match,
    Messages,
    Question,
    Ref,
    Role,
    Rule,
    SvarIds,
    Unique,
    Usage,
    Values,
)
from intyg.schemas.rules.assertion import level_of
from intyg.schemas.rules.kinds import KINDS, PATTERNS
from intyg.schemas.rules.xpath import compile_xpath, write_out
from intyg.schemas.yaml_file import YamlError, compose, entries, line_of, read_text

HEADER_END: Final = "\nquestions:"
"""Where the header of the package's files ends; before it, everything that lookup needs."""

_T = TypeVar("_T")
_WITH_IDS = re.compile(r"(?P<value>.*?)\s*(?:\((?P<ids>[^()]+)\))?\Z", re.DOTALL)
_SVAR_ID = re.compile(r"[0-9]+\Z")
_DELSVAR_ID = re.compile(r"(?:[0-9]+|\*)\.[0-9]+\Z")
_RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:*@-]*\Z")
_NODE = re.compile(
    r"\b(?:(?:svar|delsvar|code|coded|yes|no|same_system)\(|same_system\([^,()]*,)"
    r"\s*([0-9]+(?:\.[0-9]+)?)"
)
_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)\Z")
_PLACE = re.compile(r"<([0-9]+(?:\.[0-9]+)?)>")


class TypeFileError(Exception):
    """A certificate type file is wrong: which, where and why."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path.name}, line {line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


class _Map:
    """A YAML mapping that knows its lines and which keys have been taken."""

    def __init__(self, node: yaml.Node, what: str) -> None:
        self.line = line_of(node)
        self.what = what
        if not isinstance(node, yaml.MappingNode):
            raise YamlError(self.line, f"{what} must be a mapping")
        self._left: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        for name, line, value in entries(node):
            self._left[name] = value
            self._lines[name] = line

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def line_of(self, key: str) -> int:
        return self._lines.get(key, self.line)

    def node(self, key: str) -> yaml.Node | None:
        return self._left.pop(key, None)

    def text(self, key: str) -> str:
        value = self.maybe(key)
        if value is None:
            raise YamlError(self.line, f"{self.what}: the key {key!r} is missing")
        return value

    def maybe(self, key: str) -> str | None:
        """The text of a scalar; None when absent or null."""
        node = self.node(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            raise YamlError(self.line_of(key), f"{self.what}: {key!r} must be one value")
        return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)

    def yes(self, key: str, default: bool) -> bool:
        value = self.maybe(key)
        if value is None:
            return default
        if value not in ("true", "false"):
            raise YamlError(self.line_of(key), f"{self.what}: {key!r} must be true or false")
        return value == "true"

    def words(self, key: str) -> tuple[str, ...]:
        """A list of values, or one value; () when absent."""
        node = self.node(key)
        if node is None:
            return ()
        if isinstance(node, yaml.ScalarNode):
            return () if node.tag == "tag:yaml.org,2002:null" else (str(node.value),)
        return tuple(str(item.value) for item in self._items(node, key))

    def maps(self, key: str, what: str) -> Iterator["_Map"]:
        node = self.node(key)
        if node is not None:
            for item in self._items(node, key):
                yield _Map(item, what)

    def map(self, key: str, what: str) -> "_Map | None":
        node = self.node(key)
        return None if node is None else _Map(node, what)

    def pairs(self) -> Iterator[tuple[str, int, yaml.Node]]:
        """Every key left, with its line and value."""
        for key in list(self._left):
            yield key, self._lines[key], self._left.pop(key)

    def done(self) -> None:
        for key in self._left:
            raise YamlError(self._lines[key], f"{self.what}: unknown key {key!r}")

    def _items(self, node: yaml.Node, key: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise YamlError(self.line_of(key), f"{self.what}: {key!r} must be a list")
        return list(node.value)


def read_header(path: Path) -> IntygHeader:
    """
    The header of a type file, without reading its questions; TypeFileError.

    Only for files that have everything else after the questions, as the package's have.
    """
    return _guarded(path, _header, HEADER_END)


def read_intyg_type(path: Path, shared: Mapping[str, CodeList]) -> IntygType:
    """
    Read a whole type file.

    Args:
        path: The YAML file.
        shared: Code lists that the file may name without defining them.

    Raises:
        TypeFileError: Unknown or missing key, id used twice, unknown question
            or code list, rule that is no XPath 1.0, or not YAML.
    """
    return _guarded(path, lambda top: _Reader(top, shared).intyg_type())


def read_code_lists(path: Path) -> Mapping[str, CodeList]:
    """Read a file of nothing but code lists; TypeFileError."""
    return _guarded(path, _code_lists)


def _guarded(path: Path, read: Callable[[_Map], _T], end: str = "") -> _T:
    """What a file says, up to a mark if there is one; every fault as TypeFileError."""
    try:
        text = read_text(path)
        node = compose(text.partition(end)[0] if end else text)
        if node is None:
            raise YamlError(1, "the file is empty")
        top = _Map(node, "the file")
        result = read(top)
        top.done()
    except YamlError as exc:
        raise TypeFileError(path, max(exc.line, 1), exc.reason) from exc
    return result


def _header(top: _Map) -> IntygHeader:
    xml = top.map("xml", "xml")
    if xml is None:
        raise YamlError(top.line, "the key 'xml' is missing")
    messages = top.map("messages", "messages")
    usage = top.map("usage", "usage")
    header = IntygHeader(
        code=top.text("code"),
        version=top.text("version"),
        name=top.text("name"),
        engine=_engine(top),
        xml_code=xml.text("code"),
        xml_system=xml.text("system"),
        xml_display=xml.text("display"),
        xml_versions=xml.words("versions"),
        aliases=top.words("aliases"),
        former=top.words("former"),
        recipient=top.maybe("recipient"),
        signs=tuple(_role(top, word) for word in top.words("signs")),
        sent_on_signing=top.yes("sent_on_signing", default=False),
        sent_on_complement=top.yes("sent_on_complement", default=False),
        messages=Messages(messages.words("incoming"), messages.words("care"))
        if messages
        else Messages((), ()),
        usage=_usage(usage) if usage else Usage(register=True, renew=True, send=True),
        national_rules=top.yes("national_rules", default=True),
        unique=_unique(top),
    )
    for part in (xml, messages, usage):
        if part is not None:
            part.done()
    if not header.xml_versions:
        raise YamlError(xml.line, "xml: the key 'versions' is missing")
    return header


def _engine(top: _Map) -> Engine:
    line, word = top.line_of("engine"), top.maybe("engine")
    known = ", ".join(Engine)
    if word is None:
        raise YamlError(line, f"the key 'engine' is missing; it must be one of {known}")
    try:
        return Engine(word)
    except ValueError:
        raise YamlError(line, f"engine: must be one of {known}, not {word!r}") from None


def _role(top: _Map, word: str) -> Role:
    try:
        return Role(word)
    except ValueError:
        raise YamlError(top.line_of("signs"), f"signs: unknown role {word!r}") from None


def _unique(top: _Map) -> Unique | None:
    line, word = top.line_of("unique"), top.maybe("unique")
    try:
        return None if word is None else Unique(word)
    except ValueError:
        raise YamlError(line, f"unique: must be one of {', '.join(Unique)}") from None


def _usage(usage: _Map) -> Usage:
    return Usage(
        register=usage.yes("register", default=True),
        renew=usage.yes("renew", default=True),
        send=usage.yes("send", default=True),
        replaced_by=usage.maybe("replaced_by"),
        note=usage.maybe("note"),
        renewed_without=usage.words("renewed_without"),
    )


def _code_lists(lists: _Map) -> dict[str, CodeList]:
    result = {}
    for name, line, node in lists.pairs():
        entry = _Map(node, f"code list {name}")
        system = entry.maybe("system")
        if not system:
            raise YamlError(line, f"code list {name} has no system")
        codes = entry.map("codes", f"codes of {name}")
        texts = {} if codes is None else {key: str(text.value) for key, _, text in codes.pairs()}
        result[name] = CodeList(name, system, texts)
        entry.done()
    return result


class _Reader:
    """Reads one file: knows its code lists, and the ids seen so far."""

    def __init__(self, top: _Map, shared: Mapping[str, CodeList]) -> None:
        self._top = top
        self._header = _header(top)
        own = top.map("codelists", "codelists")
        self._lists = {**shared, **(_code_lists(own) if own else {})}
        self._nodes: set[str] = set()
        self._refs: set[str] = set()
        self._rule_ids: set[str] = set()
        self._severity = Severity.WARNING if self._header.national_rules else Severity.ERROR

    def intyg_type(self) -> IntygType:
        top = self._top
        svar_ids = self._svar_ids()
        instans, unit_address, patient_address = (
            self._only_ref(top, key, key) for key in ("instans", "unit_address", "patient_address")
        )
        questions = tuple(self._question(entry) for entry in top.maps("questions", "question"))
        if not questions:
            raise YamlError(top.line, "there are no questions")
        self._check_renewed_without(questions)
        rules = tuple(self._rule(entry) for entry in top.maps("rules", "rule"))
        same = top.map("same_as", "same_as")
        not_checked = top.map("not_checked", "not_checked")
        found = {f.name: getattr(self._header, f.name) for f in fields(IntygHeader)}
        return IntygType(
            **found,
            questions=questions,
            rules=rules,
            svar_ids=svar_ids,
            instans=instans,
            unit_address=unit_address,
            patient_address=patient_address,
            same_as=dict(self._same_as(same)) if same else {},
            not_checked={
                key: str(node.value)
                for key, _, node in (not_checked.pairs() if not_checked else ())
            },
        )

    def _check_renewed_without(self, questions: tuple[Question, ...]) -> None:
        known = {q.svar for q in questions} | {part.id for q in questions for part in q.delsvar}
        for node_id in self._header.usage.renewed_without:
            if node_id not in known:
                text = f"usage: renewed_without names {node_id}, which is no svar or delsvar"
                raise YamlError(self._top.line_of("usage"), text)

    def _same_as(self, same: _Map) -> Iterator[tuple[str, tuple[str, ...]]]:
        for key, line, node in same.pairs():
            others = tuple(str(node.value).split())
            for other in others:
                if other not in self._refs:
                    raise YamlError(line, f"same_as: there is no rule {other}")
            yield key, others

    def _svar_ids(self) -> SvarIds | None:
        entry = self._top.map("svar_ids", "svar_ids")
        if entry is None:
            return None
        line = entry.line
        also = (entry.maybe("also") or "").split()
        first, _, last = next((word for word in also if ".." in word), "").partition("..")
        result = SvarIds(
            ref=self._ref(entry.text("rule"), line),
            also=tuple(word for word in also if ".." not in word),
            first=int(first) if first else None,
            last=int(last) if last else None,
            ending_with=entry.words("ending_with"),
        )
        entry.done()
        return result

    def _question(self, entry: _Map) -> Question:
        first, _, last = entry.text("svar").partition("..")
        if not _SVAR_ID.match(first) or (last and not _SVAR_ID.match(last)):
            raise YamlError(entry.line_of("svar"), f"{first!r} is not the id of a svar")
        entry.what = f"svar {first}"
        self._new_node(first, entry)
        only, line = entry.maybe("only"), entry.line_of("only")
        also, only_refs = self._refs_of(f" {only}", f"{first}:only", line)
        instans = entry.maybe("instans") or Instans.ABSENT.value
        instans_word, instans_refs = self._refs_of(instans, f"{first}:instans", entry.line)
        try:
            instans_kind = Instans(instans_word)
        except ValueError:
            raise YamlError(
                entry.line_of("instans"), "instans must be required, optional or absent"
            ) from None
        question = Question(
            svar=first,
            term=entry.text("term"),
            count=self._count(entry, f"{first}:count"),
            instans=instans_kind,
            instans_ref=instans_refs[0],
            delsvar=tuple(self._delsvar(part, first) for part in entry.maps("delsvar", "delsvar")),
            only=only_refs[0] if only else None,
            also=tuple(also.split()[1:]) if only else (),
            last=last or None,
            category=entry.maybe("category"),
            when=entry.maybe("when"),
            note=entry.maybe("note"),
        )
        if only and also not in ("", "true") and not also.startswith("also "):
            raise YamlError(line, f"{entry.what}: only must be true or `also` and ids")
        entry.done()
        if not question.delsvar:
            raise YamlError(entry.line, f"svar {first} has no delsvar")
        return question

    def _delsvar(self, entry: _Map, svar: str) -> Delsvar:
        node_id = entry.text("id")
        if not _DELSVAR_ID.match(node_id):
            raise YamlError(entry.line_of("id"), f"{node_id!r} is not the id of a delsvar")
        if node_id.partition(".")[0] not in (svar, "*"):
            raise YamlError(
                entry.line_of("id"), f"delsvar {node_id} does not belong to svar {svar}"
            )
        entry.what = f"delsvar {node_id}"
        self._new_node(node_id, entry)
        type_line = entry.line_of("type")
        kind, type_refs = self._refs_of(entry.text("type"), f"{node_id}:type", type_line)
        if kind not in KINDS:
            raise YamlError(
                type_line, f"unknown type {kind!r}; there are {', '.join(sorted(KINDS))}"
            )
        lists = self._code_lists(entry)
        codes = tuple(code for code_list in lists for code in code_list.codes)
        delsvar = Delsvar(
            id=node_id,
            term=entry.text("term"),
            type=kind,
            type_refs=type_refs,
            count=self._count(entry, f"{node_id}:count"),
            code_lists=lists,
            system=self._values(
                entry, "system", node_id, tuple(item.system for item in lists), Match.EXACT
            ),
            codes=self._values(entry, "codes", node_id, codes, Match.TRIMMED),
            pattern=self._pattern(entry, node_id),
            length=self._limit(entry, "length", node_id),
            code_length=self._limit(entry, "code_length", node_id),
            days=self._days(entry, node_id),
            size=self._limit(entry, "size", node_id),
            unit=self._values(entry, "unit", node_id, (), Match.TRIMMED),
            unique=self._only_ref(entry, "unique", node_id),
            overlap=self._only_ref(entry, "overlap", node_id),
            shared_day=self._only_ref(entry, "shared_day", node_id),
            when=entry.maybe("when"),
            note=entry.maybe("note"),
        )
        if kind in ("cv", "boolean_or_cv") and delsvar.system is None:
            raise YamlError(entry.line, f"delsvar {node_id} is a code without a code system")
        if delsvar.codes and codes:
            for code in delsvar.codes.values:
                if code and code not in codes:
                    names = " or ".join(item.name for item in lists)
                    raise YamlError(entry.line, f"{code} is not in code list {names}")
        entry.done()
        return delsvar

    def _code_lists(self, entry: _Map) -> tuple[CodeList, ...]:
        line, names = entry.line_of("list"), (entry.maybe("list") or "").split()
        for name in names:
            if name not in self._lists:
                raise YamlError(line, f"there is no code list {name}")
        return tuple(self._lists[name] for name in names)

    def _values(
        self, entry: _Map, key: str, node_id: str, default: tuple[str, ...], match: Match
    ) -> Values | None:
        present, line = key in entry, entry.line_of(key)
        words, refs = self._refs_of(entry.maybe(key) or "", f"{node_id}:{key}", line)
        values = tuple(words.split())
        if values and values[0] in tuple(Match):
            match, values = Match(values[0]), values[1:]
        if '""' in values:  # a national pattern that lets an empty code through
            values = tuple("" if value == '""' else value for value in values)
        values = values or default
        if not values:
            if present:
                raise YamlError(
                    line, f"{entry.what}: {key} names nothing and there is no code list"
                )
            return None
        return Values(values, match, refs[0])

    def _pattern(self, entry: _Map, node_id: str) -> tuple[str, Ref] | None:
        line, text = entry.line_of("pattern"), entry.maybe("pattern")
        if text is None:
            return None
        name, refs = self._refs_of(text, f"{node_id}:pattern", line)
        if name not in PATTERNS:
            raise YamlError(
                line, f"unknown pattern {name!r}; there are {', '.join(sorted(PATTERNS))}"
            )
        return name, refs[0]

    def _limit(self, entry: _Map, key: str, node_id: str) -> Limit | None:
        line, text = entry.line_of(key), entry.maybe(key)
        if text is None:
            return None
        number, refs = self._refs_of(text, f"{node_id}:{key}", line)
        try:
            return Limit(float(number), refs[0])
        except ValueError:
            raise YamlError(line, f"{entry.what}: {key} must be a number") from None

    def _days(self, entry: _Map, node_id: str) -> Days | None:
        line, text = entry.line_of("days"), entry.maybe("days")
        if text is None:
            return None
        span, refs = self._refs_of(text, f"{node_id}:days", line)
        match = _SPAN.match(span)
        if not match:
            raise YamlError(line, f"{entry.what}: days must be YYYY-MM-DD..YYYY-MM-DD")
        return Days(match[1], match[2], refs[0])

    def _only_ref(self, entry: _Map, key: str, node_id: str) -> Ref | None:
        line, text = entry.line_of(key), entry.maybe(key)
        if text is None:
            return None
        made_id = key if node_id == key else f"{node_id}:{key}"
        word, refs = self._refs_of(f" {text}", made_id, line)
        if word not in ("", "true"):
            raise YamlError(line, f"{entry.what}: {key} must be true or the id of a rule in (…)")
        return refs[0]

    def _count(self, entry: _Map, made_id: str) -> Count:
        line = entry.line_of("count")
        text, refs = self._refs_of(entry.maybe("count") or "0..1", made_id, line)
        least, dots, most = text.partition("..")
        try:
            low = int(least or 0)
            high = (int(most) if most else None) if dots else low
        except ValueError:
            raise YamlError(line, f"{entry.what}: count must be N, N..M or N..") from None
        return Count(low, high, *refs)

    def _rule(self, entry: _Map) -> Rule:
        line = entry.line
        ref = self._ref(entry.text("id"), line)
        entry.what = f"rule {ref.id}"
        if ref.id in self._rule_ids:
            raise YamlError(line, f"the rule id {ref.id} is used twice")
        self._rule_ids.add(ref.id)
        if entry.maybe("severity") == "warning":
            ref = Ref(ref.id, Severity.WARNING)
        rule = Rule(
            ref=ref,
            message=entry.text("message"),
            must=entry.text("must"),
            each=entry.maybe("each"),
            is_=entry.words("is"),
            is_not=entry.words("is_not"),
            where=entry.maybe("where"),
            at_signing=entry.yes("at_signing", default=False),
            concerns=entry.words("concerns"),
            line=line,
        )
        entry.done()
        if rule.each is not None:
            self._known(rule.each.removesuffix(".."), line, ref.id)
        if (rule.is_ or rule.is_not) and level_of(rule) != 2:
            raise YamlError(line, f"rule {ref.id}: is and is_not need a delsvar in each")
        for node_id in (*rule.concerns, *_PLACE.findall(rule.message)):
            self._known(node_id, line, ref.id)
        for expression in (rule.must, rule.where or "true()"):
            for node_id in _NODE.findall(expression):
                self._known(node_id, line, ref.id)
            try:
                compile_xpath(write_out(expression))
            except (ValueError, etree.XPathSyntaxError) as exc:
                raise YamlError(line, f"rule {ref.id} is not XPath 1.0: {exc}") from exc
        return rule

    def _known(self, node_id: str, line: int, rule: str) -> None:
        if node_id not in self._nodes:
            raise YamlError(line, f"rule {rule}: there is no question {node_id}")

    def _new_node(self, node_id: str, entry: _Map) -> None:
        if node_id in self._nodes:
            raise YamlError(entry.line, f"the id {node_id} is used twice")
        self._nodes.add(node_id)

    def _refs_of(self, text: str, made_id: str, line: int) -> tuple[str, tuple[Ref, Ref]]:
        """Split `value (R1 R2)`; one id serves for both, none makes one."""
        match = _WITH_IDS.match(text.strip() if not text.startswith(" ") else text)
        assert match is not None
        ids = (match["ids"] or "").split()
        if not ids:
            made = Ref(made_id, self._severity)
            return match["value"].strip(), (made, made)
        made = Ref(made_id, self._severity)
        if len(ids) > 2:
            raise YamlError(line, f"at most two rule ids fit in ({match['ids']})")
        refs = [made if rule_id == "-" else self._ref(rule_id, line) for rule_id in ids]
        return match["value"].strip(), (refs[0], refs[-1])

    def _ref(self, text: str, line: int) -> Ref:
        """A rule id; one national rule may stand for several checks of the tree."""
        rule_id = text.removesuffix("?")
        if not _RULE_ID.match(rule_id):
            raise YamlError(line, f"{text!r} is not the id of a rule")
        self._refs.add(rule_id)
        return Ref(rule_id, Severity.WARNING if text.endswith("?") else Severity.ERROR)
