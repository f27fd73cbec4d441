"""A certificate as JSON, both ways: the same signed octets come out as went in.

    {"intygs-id": {"root": "…", "extension": "…"}, "typ": {"code": "LISJP", …}, "version": "1.3",
     "patient": {…}, "skapadAv": {…},
     "svar": {"27": {"27.1": false},
              "1": [{"instans": 1, "1.1": {"code": "…", "codeSystem": "…"}, "1.2": "2026-01-12"}]}}

Names are the contract's. A question that may have several svar is a list, also with one. An answer
is a text, a date (text), true or false, a whole number, or an object: a code has `code` and
`codeSystem`, a period `start` and `end`, a date in part `format` and `value`, a quantity `value`
and `unit`; any other kind stands under its element's name, `{"timePeriod": {…}}`.

svar and delsvar stand in the order of the type's file. Where a certificate has another order, or
something twice, `ordning` lists the ids as they stand. Left out are `status` and `underskrift`,
which the store and the signer add.

Source: clinicalprocess_healthcond_certificate_3.3.xsd, `Intyg`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from lxml import etree

from intyg.schemas import ns
from intyg.schemas.intyg_model import IntygType

Json: TypeAlias = dict[str, Any]

ORDER: Final = "ordning"
INSTANS: Final = "instans"
_C, _T, _E = f"{{{ns.CORE}}}", f"{{{ns.TYPES}}}", f"{{{ns.EXT32}}}"
_BLANKS: Final = " \t\r\n"
_SAFE_DIGITS: Final = 15
"""A larger number is not the same in every reader of JSON; it stays text."""


class JsonFormError(ValueError):
    """
    Something that this form cannot say, or is not in it.

    Attributes:
        path: Where, `svar.6.6.2`; never a value.
    """

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{path}: {text}")
        self.path = path
        self.text = text


@dataclass(frozen=True)
class _Field:
    """An element of the frame: its namespace and name, what it holds, whether it may repeat."""

    namespace: str
    name: str
    holds: "tuple[_Field, ...]" = ()  # empty: text
    many: bool = False


def _texts(namespace: str, *names: str) -> tuple[_Field, ...]:
    return tuple(_Field(namespace, name) for name in names)


_II: Final = _texts(_T, "root", "extension")
_CV: Final = _texts(
    _T, "code", "codeSystem", "codeSystemName", "codeSystemVersion", "displayName", "originalText"
)
_PATIENT: Final = (
    _Field(_C, "person-id", _II),
    *_texts(_C, "fornamn", "efternamn", "mellannamn", "postadress", "postnummer", "postort"),
    _Field(_E, "kallaAdressuppgifter", _CV),
)
_VARDGIVARE: Final = (_Field(_C, "vardgivare-id", _II), *_texts(_C, "vardgivarnamn"))
_ENHET: Final = (
    _Field(_C, "enhets-id", _II),
    _Field(_C, "arbetsplatskod", _II),
    *_texts(
        _C, "enhetsnamn", "postadress", "postnummer", "postort", "telefonnummer", "epost"
    ),
    _Field(_C, "vardgivare", _VARDGIVARE),
)  # fmt: skip
_HOS_PERSONAL: Final = (
    _Field(_C, "personal-id", _II),
    *_texts(_C, "fullstandigtNamn", "forskrivarkod"),
    _Field(_C, "befattning", _CV, many=True),
    _Field(_C, "enhet", _ENHET),
    _Field(_C, "specialistkompetens", _CV, many=True),
    _Field(_E, "legitimeratYrke", _CV, many=True),
)
_FRAME: Final = (
    _Field(_C, "intygs-id", _II),
    _Field(_C, "mottagare", _CV, many=True),
    _Field(_C, "typ", _CV),
    *_texts(_C, "version", "signeringstidpunkt", "skickatTidpunkt"),
    _Field(_C, "patient", _PATIENT),
    _Field(_C, "skapadAv", _HOS_PERSONAL),
    _Field(_C, "relation", (_Field(_C, "typ", _CV), _Field(_C, "intygs-id", _II)), many=True),
)
_KINDS: Final[Mapping[str, tuple[_Field, ...]]] = {
    "cv": _CV,
    "datePeriod": _texts(_T, "start", "end"),
    "partialDate": _texts(_T, "format", "value"),
    "pq": _texts(_T, "value", "unit"),
    "pqInterval": _texts(_T, "low", "high", "unit"),
    "timePeriod": _texts(_T, "start", "end"),
    "ii": _II,
    "date": (),
    "timestamp": (),
}
"""What a delsvar may hold beside text, by element; without fields: a text."""

_PLAIN: Final = ("cv", "datePeriod", "partialDate", "pq")
"""Those that are known by their members; the others need their name."""

_NOT_CARRIED: Final = frozenset({f"{_C}status", f"{_E}underskrift"})


# --- element → JSON -------------------------------------------------------------------------------


def intyg_to_json(intyg: etree._Element, intyg_type: IntygType) -> Json:
    """
    A certificate as JSON.

    Args:
        intyg: An `intyg` of any message, valid by its schema.
        intyg_type: Its type; says which questions may be repeated, and the order.

    Raises:
        JsonFormError: It holds what this form has no words for: a comment in a value, an element
            of an extension, text around elements. Comments between elements are left out.
    """
    _refuse_text_around(intyg, "intyg")
    rest = [child for child in _elements(intyg) if child.tag not in _NOT_CARRIED]
    head = [child for child in rest if child.tag != f"{_C}svar"]
    result = _to_members(head, _FRAME, "intyg")
    svar = [child for child in rest if child.tag == f"{_C}svar"]
    result["svar"] = svar_to_json(svar, intyg_type)
    return result


def svar_to_json(svar: Iterable[etree._Element], intyg_type: IntygType) -> Json:
    """The `svar` of a certificate or a prefill, by question; JsonFormError."""
    pairs = [(row.get("id", ""), _row_to_json(row, intyg_type)) for row in svar]
    repeated = {q.svar for q in intyg_type.questions if q.count.most != 1}
    return _grouped(pairs, [q.svar for q in intyg_type.questions], repeated)


def _row_to_json(row: etree._Element, intyg_type: IntygType) -> Json:
    svar = row.get("id", "")
    _refuse_text_around(row, f"svar.{svar}")
    pairs: list[tuple[str, Any]] = []
    instans: Json = {}
    for child in _elements(row):
        if child.tag == f"{_C}instans":
            instans[INSTANS] = _number(_leaf(child, f"svar.{svar}.{INSTANS}"))
        elif child.tag == f"{_C}delsvar":
            name = child.get("id", "")
            path = f"svar.{svar}.{name}"
            pairs.append((name, _value_to_json(child, kind_of(intyg_type, svar, name), path)))
        else:
            raise JsonFormError(f"svar.{svar}", "holds something that is no delsvar")
    return instans | _grouped(pairs, delsvar_order(intyg_type, svar), set())


def _grouped(pairs: Sequence[tuple[str, Any]], order: Sequence[str], lists: set[str]) -> Json:
    """By id; with `ordning` where the ids do not stand in the type's order, each in one piece."""
    by_id: dict[str, list[Any]] = {}
    for name, value in pairs:
        by_id.setdefault(name, []).append(value)
    wanted = sorted(by_id, key=lambda name: _place(name, order))
    grouped: Json = {
        name: by_id[name] if len(by_id[name]) > 1 or name in lists else by_id[name][0]
        for name in wanted
    }
    names = [name for name, _ in pairs]
    if names != [name for name in wanted for _ in by_id[name]]:
        grouped[ORDER] = names
    return grouped


def _place(name: str, order: Sequence[str]) -> tuple[int, list[int]]:
    """In the type's order; what the type does not know, last and by number."""
    at = order.index(name) if name in order else len(order)
    return at, [int(n) if n.isdigit() else 0 for n in name.split(".")]


def _value_to_json(delsvar: etree._Element, kind: str, path: str) -> Any:
    if len(delsvar) == 0:
        return _text_to_json(delsvar.text or "", kind)
    _refuse_text_around(delsvar, path)
    parts = [_part_to_json(child, path) for child in _elements(delsvar)]
    if not parts:
        raise JsonFormError(path, "holds nothing but a comment")
    if len(parts) > 1:
        return {"delar": parts}
    ((name, value),) = parts[0].items()
    return value if _kind_by_members(value) == name else parts[0]


def _part_to_json(child: etree._Element, path: str) -> Json:
    name = str(child.tag).removeprefix(_T)
    fields = _KINDS.get(name)
    if fields is None:
        raise JsonFormError(path, "holds an element that is no value of the contract")
    return {name: _to_members(child, fields, path) if fields else _leaf(child, path)}


def _text_to_json(text: str, kind: str) -> Any:
    if kind in ("boolean", "yes_no", "boolean_or_cv") and text in ("true", "false"):
        return text == "true"
    return _number(text) if kind == "integer" else text


def _number(text: str) -> int | str:
    """A whole number as such if it comes back as it was written."""
    plain = text.isascii() and text.isdigit() and len(text) <= _SAFE_DIGITS
    return int(text) if plain and str(int(text)) == text else text


def _to_members(element: Iterable[etree._Element], fields: tuple[_Field, ...], path: str) -> Json:
    if isinstance(element, etree._Element):
        _refuse_text_around(element, path)
        element = _elements(element)
    by_tag = {f"{field.namespace}{field.name}": field for field in fields}
    members: Json = {}
    for child in element:
        field = by_tag.get(str(child.tag))
        where = f"{path}.{field.name if field else '?'}"
        if field is None or (field.name in members and not field.many):
            raise JsonFormError(where, "an element that has no place here")
        holds = field.holds
        value = _to_members(child, holds, where) if holds else _leaf(child, where)
        if field.many:
            members.setdefault(field.name, []).append(value)
        else:
            members[field.name] = value
    return members


def _leaf(element: etree._Element, path: str) -> str:
    if len(element):
        raise JsonFormError(path, "must hold text and nothing else")
    return element.text or ""


def _refuse_text_around(element: etree._Element, path: str) -> None:
    texts = [element.text, *(child.tail for child in element)]
    if any(text and text.strip(_BLANKS) for text in texts):
        raise JsonFormError(path, "text beside elements")


def _elements(parent: etree._Element) -> list[etree._Element]:
    return [child for child in parent if isinstance(child.tag, str)]


# --- JSON → element -------------------------------------------------------------------------------


def intyg_from_json(data: Json, intyg_type: IntygType, parent: etree._Element, tag: str) -> None:
    """
    Add a certificate to a message.

    Args:
        data: As `intyg_to_json` gives it.
        intyg_type: Its type, for the order of svar and delsvar.
        parent: The message's element.
        tag: The name of its `intyg`, with namespace.

    Raises:
        JsonFormError: It is not of that form.
    """
    intyg = etree.SubElement(parent, tag)
    _from_members(intyg, {k: v for k, v in data.items() if k != "svar"}, _FRAME, "intyg")
    for row in svar_from_json(data.get("svar", {}), intyg_type):
        intyg.append(row)


def svar_from_json(data: object, intyg_type: IntygType) -> Iterator[etree._Element]:
    """The `svar` elements of what `svar_to_json` gives; JsonFormError."""
    order = [question.svar for question in intyg_type.questions]
    for svar, value in _ungrouped(data, order, "svar"):
        yield _row_from_json(svar, value, intyg_type)


def _row_from_json(svar: str, data: object, intyg_type: IntygType) -> etree._Element:
    path = f"svar.{svar}"
    if not isinstance(data, dict):
        raise JsonFormError(path, "must be an object with delsvar, or a list of such")
    prefixes = {"c": ns.CORE, "t": ns.TYPES}
    row = etree.Element(f"{_C}svar", {"id": svar}, nsmap=prefixes)
    if INSTANS in data:
        etree.SubElement(row, f"{_C}{INSTANS}").text = _text(data[INSTANS], f"{path}.{INSTANS}")
    parts = {name: value for name, value in data.items() if name != INSTANS}
    for name, value in _ungrouped(parts, delsvar_order(intyg_type, svar), path):
        delsvar = etree.SubElement(row, f"{_C}delsvar", {"id": name})
        _value_from_json(delsvar, value, f"{path}.{name}")
    return row


def _ungrouped(data: object, order: Sequence[str], path: str) -> list[tuple[str, Any]]:
    """Ids with their values, in the order that they stand in XML."""
    if not isinstance(data, dict):
        raise JsonFormError(path, "must be an object, by id")
    listed = {
        name: list(value) if isinstance(value, list) else [value]
        for name, value in data.items()
        if name != ORDER
    }
    wanted = data.get(ORDER)
    if wanted is None:
        names = sorted(listed, key=lambda name: _place(name, order))
        return [(name, value) for name in names for value in listed[name]]
    left = {name: iter(values) for name, values in listed.items()}
    count = sum(map(len, listed.values()))
    pairs = [(name, next(left[name])) for name in wanted if name in left] if _fits(
        wanted, listed
    ) else []  # fmt: skip
    if len(pairs) != count:
        raise JsonFormError(f"{path}.{ORDER}", "must list each id as often as it is there")
    return pairs


def _fits(wanted: object, listed: Mapping[str, Sequence[Any]]) -> bool:
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        return False
    return sorted(wanted) == sorted(name for name, rows in listed.items() for _ in rows)


def _value_from_json(delsvar: etree._Element, value: object, path: str) -> None:
    if not isinstance(value, dict):
        delsvar.text = _text(value, path)
        return
    parts = value.get("delar", [value])
    if not isinstance(parts, list) or ("delar" in value and len(value) != 1):
        raise JsonFormError(path, "delar must be a list, and stand alone")
    for part in parts:
        _part_from_json(delsvar, part, path)


def _part_from_json(delsvar: etree._Element, part: object, path: str) -> None:
    if not isinstance(part, dict):
        raise JsonFormError(path, "must be a value of the contract")
    name = _kind_by_members(part)
    if name is not None:
        members: object = part
    elif len(part) == 1:
        ((name, members),) = part.items()
    fields = _KINDS.get(name or "")
    if fields is None:
        raise JsonFormError(path, "give a code, a period, a date in part or a quantity")
    element = etree.SubElement(delsvar, f"{_T}{name}")
    if not fields:
        element.text = _text(members, path)
    elif isinstance(members, dict):
        _from_members(element, members, fields, path)
    else:
        raise JsonFormError(f"{path}.{name}", "must be an object")


def _kind_by_members(value: object) -> str | None:
    """Which of the plain kinds an object is: the first that has all its members."""
    if not isinstance(value, dict) or not value or "delar" in value:
        return None
    for name in _PLAIN:
        allowed = {field.name for field in _KINDS[name]}
        if set(value) <= allowed and (name != "pq" or "unit" in value):
            return None if name == "partialDate" and set(value) == {"value"} else name
    return None


def _from_members(
    element: etree._Element, data: object, fields: tuple[_Field, ...], path: str
) -> None:
    if not isinstance(data, dict):
        raise JsonFormError(path, "must be an object")
    known = {field.name for field in fields}
    for name in data:
        if name not in known:
            raise JsonFormError(
                f"{path}.{name}", f"is not known; known: {', '.join(sorted(known))}"
            )
    for field in fields:
        if field.name not in data:
            continue
        value, where = data[field.name], f"{path}.{field.name}"
        if field.many and not isinstance(value, list):
            raise JsonFormError(where, "must be a list")
        for one in value if field.many else [value]:
            child = etree.SubElement(element, f"{field.namespace}{field.name}")
            if field.holds:
                _from_members(child, one, field.holds, where)
            else:
                child.text = _text(one, where)


def _text(value: object, path: str) -> str:
    """As XML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise JsonFormError(path, "must be a text, a whole number, true or false")
    return value


# --- what the type says ---------------------------------------------------------------------------


def delsvar_order(intyg_type: IntygType, svar: str) -> list[str]:
    """The ids of a question's delsvar, in the order of the form."""
    question = intyg_type.question_of(svar)
    return [part.id.replace("*", svar) for part in question.delsvar] if question else []


def kind_of(intyg_type: IntygType, svar: str, delsvar: str) -> str:
    """The kind of a delsvar, `boolean`; empty for one that the type does not know."""
    question = intyg_type.question_of(svar)
    parts = question.delsvar if question else ()
    return next((part.type for part in parts if part.id.replace("*", svar) == delsvar), "")
