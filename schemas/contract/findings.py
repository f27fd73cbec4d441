"""What is wrong with a message that its XSD refuses, in words that help and hold nobody's data.

`xmlschema` tells *where* a message goes wrong. *What* is wrong is then said from the schema's own
declarations: names, orders, allowed codes and forms. The library's texts are not used, since they
quote the message.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import xmlschema
from lxml import etree
from xmlschema.loaders import SchemaLoader
from xmlschema.namespaces import NamespaceMapper
from xmlschema.validators import (
    XMLSchemaChildrenValidationError,
    XsdAnyElement,
    XsdAttribute,
    XsdComplexType,
    XsdElement,
    XsdGroup,
    XsdSimpleType,
)
from xmlschema.validators.validation import ValidationContext

from intyg.schemas import ns
from intyg.schemas.contract import files as contract_files
from intyg.schemas.finding import MAX_FINDINGS, Finding
from intyg.schemas.positions import Positions

RULE: Final = "XSD"
MAX_ELEMENTS: Final = 5000
"""So many are looked at; a certificate has a few hundred."""

MAX_CHARACTERS: Final = 500_000
"""So much text and so many values of attributes; a certificate has some ten thousand. A value that
is wrong is matched and written out a dozen times, each time without letting other threads run."""

MAX_ERRORS: Final = 1000
"""So many errors of xmlschema, which commonly has two or three for a fault. Each is written out
with what is in its element, whether anybody reads it or not."""

_MAX_NAME: Final = 60  # characters of a name from the message; the longest in the contracts has 30
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

_FORMS: Final = {
    "nonEmptyString": "must not be empty; an optional element is left out instead",
    "PersonIdExtension": "must be 12 digits without a dash",
    "DateType": "must be a day as YYYY-MM-DD, without a time zone",
    "TimeStampType": "must be Swedish local time as YYYY-MM-DDThh:mm:ss, "
    "without time zone and without fraction of a second",
    "TimeStampMedMillisekunder": "must be Swedish local time as YYYY-MM-DDThh:mm:ss.fff, "
    "with exactly three decimals and without time zone",
    "PartialDateTypeValue": "must be YYYY, YYYY-MM or YYYY-MM-DD",
    "FrageIdType": "must be the number of a question, such as 6",
    "DelfrageIdType": "must be the number of a part of a question, such as 6.2",
    "TS": "must be fourteen digits, YYYYMMDDhhmmss",
    "int": "must be a whole number",
    "integer": "must be a whole number",
    "double": "must be a number with a point as decimal sign",
    "boolean": "must be true or false",
    "base64Binary": "must be base64",
    "anyURI": "must be a URI",
    "ID": "must be a unique XML id",
}
"""What a value must be, by the name of its type."""

_HINTS: Final = {
    ("svar", "delsvar"): "an unanswered question is left out, with its whole `svar`",
}
"""What to do instead, by parent and missing child."""

_Particle: TypeAlias = XsdElement | XsdAnyElement


class _Loader(SchemaLoader):
    """
    Leaves the schema as it was compiled.

    A message that holds an element of an unknown namespace would otherwise send the library looking
    for a schema of it, each time, and change the compiled schema under other threads.
    """

    def load_namespace(self, namespace: str, build: bool = True) -> bool:  # noqa: ARG002
        return namespace in self.maps.namespaces


def compile_schema(path: Path) -> xmlschema.XMLSchema10:
    """
    The schema that lists every error, from an XSD and what it imports.

    Raises:
        ContractError: The files make no schema.
    """
    dsig = contract_files.xmldsig_path()
    try:
        return xmlschema.XMLSchema10(
            str(path), allow="local", locations={ns.DS: dsig.as_uri()}, loader_class=_Loader
        )
    except xmlschema.XMLSchemaException as exc:
        raise contract_files.ContractError(f"{path}: {exc}") from exc


def wrong_root(element: etree._Element, expected: str) -> Finding:
    """The message is not the element that its contract asks for."""
    want = etree.QName(expected)
    text = f"the element must be `{want.localname}` in the namespace {want.namespace}"
    return Finding(RULE, text, f"/{_name(element)}", _line(element))


def explain(schema: xmlschema.XMLSchema10, root: etree._Element, line: int | None) -> list[Finding]:
    """
    Every fault of a message that libxml2 has refused.

    What is looked at is bounded in elements, characters, errors and findings, and not in time: the
    same message gets the same answer on every machine. The last finding says when a bound was met.

    Args:
        schema: The contract's.
        root: The request or response element, declared in the schema.
        line: Where libxml2 saw the first fault, for the case that nothing
            else sees any.

    Returns:
        At least one finding, in document order.
    """
    message = _Message(schema, root)
    elements, only = _looked_at(root)
    findings: list[Finding] = []
    all_found = True
    if not only:
        faulty, all_found = _faulty(schema, root)
        findings = _first(
            message.explained(element, faulty[element]) for element in elements if element in faulty
        )
    if not findings:
        # A large message; or what only libxml2 objects to: content of an element from elsewhere,
        # and in versions before 2.14 an empty element whose value is fixed, which XSD 1.0 (3.3.4,
        # cvc-elt 5.1) allows.
        findings = _first(message.faults(element) for element in elements)
    if not findings:
        findings = [Finding(RULE, "does not follow the schema", message.xpath(root), line)]
    if len(findings) > MAX_FINDINGS or not all_found:
        findings[MAX_FINDINGS - 1 :] = [
            message.finding(root, "there are more faults than are listed")
        ]
    elif only:
        findings.append(message.finding(root, f"only {only} are explained"))
    return findings


def _looked_at(root: etree._Element) -> tuple[list[etree._Element], str]:
    """The elements that the bounds let us look at; and the bound that leaves out others, if any."""
    elements: list[etree._Element] = []
    left = MAX_CHARACTERS
    for node in root.iter():
        left -= len(node.tail or "")
        if isinstance(node.tag, str):
            left -= len(node.text or "") + sum(map(len, node.attrib.values()))
            if len(elements) == MAX_ELEMENTS:
                return elements, f"{MAX_ELEMENTS} elements"
            elements.append(node)
        if left < 0:
            return elements[:-1], f"the first {MAX_CHARACTERS} characters"
    return elements, ""


def _first(findings: Iterable[Iterable[Finding]]) -> list[Finding]:
    """All findings together, but at most one more than are going to be listed."""
    return list(islice(chain.from_iterable(findings), MAX_FINDINGS + 1))


class _Search(ValidationContext):
    """A run of xmlschema, which by itself ends at the end of the message, and then tells."""

    __slots__ = ()

    def __init__(self, schema: xmlschema.XMLSchema10, root: etree._Element) -> None:
        source = schema.maps.settings.get_xml_resource(root)
        mapper = NamespaceMapper(source=source)
        super().__init__(source, mapper, check_identities=True)
        self.validation_only = True  # the library takes any class but its own for a decoder

    def raise_or_collect(
        self, validation: str, error: xmlschema.XMLSchemaValidationError
    ) -> xmlschema.XMLSchemaValidationError:
        error = super().raise_or_collect(validation, error)
        if len(self.errors) >= MAX_ERRORS:
            raise xmlschema.XMLSchemaStopValidation
        return error


def _faulty(
    schema: xmlschema.XMLSchema10, root: etree._Element
) -> tuple[dict[etree._Element, xmlschema.XMLSchemaValidationError], bool]:
    """The elements with something wrong, each with its first error; and whether these are all."""
    search = _Search(schema, root)
    element: Any = root  # the library's types know the standard library's alone
    all_found = True
    try:
        schema.maps.elements[str(root.tag)].raw_decode(element, "lax", search)
    except xmlschema.XMLSchemaStopValidation:
        all_found = False
    except xmlschema.XMLSchemaException:
        return {}, True  # it raises on an `xsi:type` that it cannot resolve
    found: dict[etree._Element, xmlschema.XMLSchemaValidationError] = {}
    for error in search.errors:
        if isinstance(error.elem, etree._Element):
            found.setdefault(error.elem, error)
    return found, all_found


def _generic(
    element: etree._Element,
    declared: XsdElement | None,
    error: xmlschema.XMLSchemaValidationError,
) -> str:
    """For content models that are not spelled out here: those of XML Signature."""
    if declared is None:
        return f"`{_name(element)}` is not declared in the contract's schemas"
    kind = declared.type
    if not (isinstance(kind, XsdComplexType) and isinstance(kind.content, XsdGroup)):
        return ""  # nothing is wrong: xmlschema takes a comment inside a text for an element
    if not isinstance(error, XMLSchemaChildrenValidationError):
        return f"`{_name(element)}` does not follow the schema"
    children = list(element)
    what = (
        f"`{_name(children[error.index])}` does not belong here"
        if error.index < len(children)
        else f"`{_name(element)}` lacks something"
    )
    expected = [e.local_name for e in error.expected or () if isinstance(e, XsdElement)]
    return f"{what}; expected: {_names(expected)}" if expected else what


@dataclass(frozen=True)
class _Slot:
    """A place in a sequence: one particle, or several to choose one from."""

    particles: tuple[_Particle, ...]

    @property
    def names(self) -> list[str]:
        return [p.local_name for p in self.particles if isinstance(p, XsdElement)]

    @property
    def required(self) -> bool:
        return all(p.min_occurs > 0 for p in self.particles)

    @property
    def tags(self) -> list[str]:
        """The same with their namespaces."""
        return [p.name for p in self.particles if isinstance(p, XsdElement)]

    def wildcard_takes(self, tag: str) -> bool:
        return any(isinstance(p, XsdAnyElement) and p.is_matching(tag) for p in self.particles)

    def homes(self, local: str) -> set[str]:
        """Namespaces where a wildcard would take an element of that name, since it is known."""
        return {
            tag.rpartition("}")[0].removeprefix("{")
            for p in self.particles
            if isinstance(p, XsdAnyElement)
            for tag in p.maps.elements
            if tag.rpartition("}")[2] == local and p.is_matching(tag)
        }


def _slots(group: XsdGroup) -> list[_Slot] | None:
    """The places of a content model, or None when it is more than a sequence with choices."""
    if (group.min_occurs, group.max_occurs) != (1, 1):
        return None
    if group.model == "choice":
        return _choice(group)
    slots: list[_Slot] = []
    for item in group:
        if isinstance(item, XsdGroup):
            inner = _slots(item)
            if inner is None or item.model != "choice":
                return None
            slots += inner
        else:
            slots.append(_Slot((item,)))
    return slots


def _choice(group: XsdGroup) -> list[_Slot] | None:
    particles = [p for p in group if isinstance(p, XsdElement)]
    return [_Slot(tuple(particles))] if len(particles) == len(group) else None


class _Message:
    """A message beside its schema."""

    def __init__(self, schema: xmlschema.XMLSchema10, root: etree._Element) -> None:
        self._schema = schema
        self._root = root
        self._declared: dict[etree._Element, XsdElement | None] = {}
        self._positions = Positions(lambda element: etree.QName(element).localname)

    def declaration(self, element: etree._Element) -> XsdElement | None:
        """The schema's declaration of an element; None where a lax wildcard lets in anything."""
        if element not in self._declared:
            self._declared[element] = self._look_up(element)
        return self._declared[element]

    def _look_up(self, element: etree._Element) -> XsdElement | None:
        parent = None if element is self._root else element.getparent()
        owner = None if parent is None else self.declaration(parent)
        kind = None if owner is None else owner.type
        if isinstance(kind, XsdComplexType) and isinstance(kind.content, XsdGroup):
            for particle in kind.content.iter_elements():
                if isinstance(particle, XsdElement) and particle.name == element.tag:
                    return particle
        declared = self._schema.maps.elements.get(str(element.tag))
        return declared if isinstance(declared, XsdElement) else None

    def finding(self, element: etree._Element, text: str, attribute: str | None = None) -> Finding:
        """A finding about an element, or about an attribute of it."""
        svar = self._question_id(element, "svar")
        delsvar = self._question_id(element, "delsvar")
        xpath = self.xpath(element) + (f"/@{attribute}" if attribute else "")
        return Finding(RULE, text, xpath, _line(element), svar=svar, delsvar=delsvar)

    def _question_id(self, element: etree._Element, name: str) -> str | None:
        """The id of the `svar` or `delsvar` around an element, when it looks like one."""
        for node in (element, *element.iterancestors(etree.Element)):
            if node.tag == f"{{{ns.CORE}}}{name}":
                value = node.get("id", "")
                # Anything else that someone put there might be a person's number.
                return value if len(value) <= 7 and value.replace(".", "").isdecimal() else None
            if node is self._root:
                break
        return None

    def xpath(self, element: etree._Element) -> str:
        """Local names from the message's root; a position where siblings share the name."""
        steps: list[str] = []
        node = element
        while True:
            parent = None if node is self._root else node.getparent()
            number, namesakes = (1, 1) if parent is None else self._positions.of(node)
            steps.append(f"{_name(node)}[{number}]" if namesakes > 1 else _name(node))
            if parent is None:
                return "/" + "/".join(reversed(steps))
            node = parent

    def explained(
        self, element: etree._Element, error: xmlschema.XMLSchemaValidationError
    ) -> list[Finding]:
        """What is wrong with an element that has something wrong with it."""
        found = list(islice(self.faults(element), MAX_FINDINGS + 1))
        generic = "" if found else _generic(element, self.declaration(element), error)
        return [*found, self.finding(element, generic)] if generic else found

    def faults(self, element: etree._Element) -> Iterator[Finding]:
        """What is wrong with one element: its attributes, its children, its text."""
        declared = self.declaration(element)
        if declared is None:
            return
        if f"{{{_XSI}}}type" in element.attrib:
            text = f"`{_name(element)}` does not follow the type that its xsi:type names"
            yield self.finding(element, text)
            return
        if f"{{{_XSI}}}nil" in element.attrib:
            yield self.finding(element, f"`{_name(element)}` has the attribute xsi:nil")
        kind = declared.type
        yield from self._attribute_faults(element, declared)
        if isinstance(kind, XsdComplexType) and isinstance(kind.content, XsdGroup):
            slots = _slots(kind.content)
            if slots is not None:
                if not kind.mixed and _text(element).strip():
                    text = f"`{_name(element)}` holds elements only; there is text between them"
                    yield self.finding(element, text)
                yield from self._child_faults(element, slots)
        else:
            yield from self._value_faults(element, declared)

    def _attribute_faults(self, element: etree._Element, declared: XsdElement) -> Iterator[Finding]:
        attributes = declared.attributes
        for name, attribute in attributes.items():
            if name and attribute.use == "required" and name not in element.attrib:
                text = f"`{_name(element)}` lacks the attribute `{name}`"
                yield self.finding(element, text)
        for key, value in element.attrib.items():
            name = str(key)
            given = attributes.get(name)
            if isinstance(given, XsdAttribute):
                if not given.type.is_valid(str(value)):
                    text = f"the attribute `{name}` {_form(given.type)}"
                    yield self.finding(element, text, name)
            elif None not in attributes and not name.startswith(f"{{{_XSI}}}"):
                text = (
                    f"`{_name(element)}` has no attribute `{_short(etree.QName(name).localname)}`"
                )
                yield self.finding(element, text)

    def _value_faults(self, element: etree._Element, declared: XsdElement) -> Iterator[Finding]:
        name = _name(element)
        if _children(element):
            yield self.finding(element, f"`{name}` holds text only, no elements")
            return
        value = _text(element)
        if declared.fixed is not None and value != declared.fixed:
            yield self.finding(element, f"`{name}` must be exactly {declared.fixed}")
            return
        kind = declared.type
        simple = kind.content if isinstance(kind, XsdComplexType) else kind
        if isinstance(simple, XsdSimpleType) and not simple.is_valid(value):
            yield self.finding(element, f"`{name}` {_form(simple)}")

    def _child_faults(self, element: etree._Element, slots: list[_Slot]) -> Iterator[Finding]:
        children = _children(element)
        places = _places(children, slots)
        for child, place in zip(children, places, strict=True):
            if place is None:
                yield self.finding(child, _stranger(child, slots))
            elif slots[place].names and str(child.tag) not in slots[place].tags:
                yield self.finding(child, _wrong_namespace(child, slots[place]))
        placed = [(child, p) for child, p in zip(children, places, strict=True) if p is not None]
        yield from self._order_faults(placed, slots)
        for index, slot in enumerate(slots):
            here = [child for child, place in placed if place == index]
            if not here and slot.required:
                yield self.finding(element, _missing(element, slots, index))
            yield from self._count_faults(here, slot)

    def _order_faults(
        self, placed: Sequence[tuple[etree._Element, int]], slots: list[_Slot]
    ) -> Iterator[Finding]:
        kept = _longest_rising([place for _, place in placed])
        for i, (child, place) in enumerate(placed):
            if i in kept:
                continue
            before = next((c for c, p in placed[:i] if p > place), None)
            after = next((c for c, p in reversed(placed[i + 1 :]) if p < place), None)
            other = f"before `{_name(before)}`" if before is not None else ""
            if not other and after is not None:
                other = f"after `{_name(after)}`"
            order = ", ".join(name for slot in slots for name in slot.names)
            text = f"`{_name(child)}` must come {other}; the order is fixed: {order}"
            yield self.finding(child, text)

    def _count_faults(self, here: list[etree._Element], slot: _Slot) -> Iterator[Finding]:
        names = {str(child.tag) for child in here}
        if len(names) > 1 and len(slot.particles) > 1:
            yield self.finding(here[-1], f"only one of {_names(slot.names)} may be used")
        for particle in slot.particles:
            if isinstance(particle, XsdElement) and particle.max_occurs is not None:
                same = [c for c in here if _name(c) == particle.local_name]
                for extra in same[particle.max_occurs :]:
                    times = "once" if particle.max_occurs == 1 else f"{particle.max_occurs} times"
                    text = f"`{particle.local_name}` may occur at most {times} here"
                    yield self.finding(extra, text)


def _places(children: list[etree._Element], slots: list[_Slot]) -> list[int | None]:
    """Which slot each child belongs to: by its name, by its local name, or by a wildcard."""
    tags = [str(child.tag) for child in children]
    named = {tag: i for i, slot in enumerate(slots) for tag in slot.tags}
    place_of: dict[str, int | None] = {tag: named[tag] for tag in tags if tag in named}
    filled = set(place_of.values())
    # The right name in the wrong namespace, where the right one is wanted and missing. A wildcard
    # for other namespaces would let it pass unseen.
    missing: dict[str, list[int]] = {}
    for i, slot in enumerate(slots):
        if i not in filled:
            for name in slot.names:
                missing.setdefault(name, []).append(i)
    wildcards: dict[str, int | None] = {}  # by namespace, which is all that they look at
    for tag in tags:
        if tag in place_of:
            continue
        namespace, _, local = tag.rpartition("}")
        if namespace not in wildcards:
            takes = (i for i, slot in enumerate(slots) if slot.wildcard_takes(tag))
            wildcards[namespace] = next(takes, None)
        wild = wildcards[namespace]
        wanted = missing.get(_short(local), ())
        place_of[tag] = next((i for i in wanted if slots[i].required or wild is None), wild)
    return [place_of[tag] for tag in tags]


def _longest_rising(numbers: list[int]) -> set[int]:
    """Indexes of a longest non-falling subsequence: what is in order, so that the rest is not."""
    tails: list[int] = []  # tails[n]: where the best subsequence of length n + 1 ends
    tail_numbers: list[int] = []
    previous: list[int | None] = []
    for i, number in enumerate(numbers):
        length = bisect_right(tail_numbers, number)
        previous.append(tails[length - 1] if length else None)
        tails[length : length + 1] = [i]
        tail_numbers[length : length + 1] = [number]
    kept: set[int] = set()
    step: int | None = tails[-1] if tails else None
    while step is not None:
        kept.add(step)
        step = previous[step]
    return kept


def _stranger(child: etree._Element, slots: list[_Slot]) -> str:
    homes = {home for slot in slots for home in slot.homes(etree.QName(child).localname)}
    if len(homes) == 1:
        return _belongs_elsewhere(child, homes.pop())
    allowed = [name for slot in slots for name in slot.names]
    expected = f"; expected here: {_names(allowed)}" if allowed else ""
    return f"`{_name(child)}` does not belong here{expected}"


def _wrong_namespace(child: etree._Element, slot: _Slot) -> str:
    right = next(
        p.target_namespace if p.ref is None else etree.QName(p.name).namespace
        for p in slot.particles
        if isinstance(p, XsdElement) and p.local_name == _name(child)
    )
    return _belongs_elsewhere(child, right)


def _belongs_elsewhere(child: etree._Element, namespace: str | None) -> str:
    return f"`{_name(child)}` is in the wrong namespace; here it belongs to {namespace}"


def _missing(element: etree._Element, slots: list[_Slot], index: int) -> str:
    names = slots[index].names
    what = f"`{names[0]}` is missing" if len(names) == 1 else f"one of {_names(names)} is missing"
    present = {_name(child) for child in _children(element)}
    before = [name for slot in slots[:index] for name in slot.names if name in present]
    where = f"after `{before[-1]}`" if before else "first"
    hint = _HINTS.get((_name(element), names[0]))
    return f"{what}; it comes {where} in `{_name(element)}`" + (f"; {hint}" if hint else "")


def _form(kind: XsdSimpleType) -> str:
    """What a value of a type must be, from the schema alone."""
    if kind.enumeration:
        return "must be one of " + ", ".join(str(value) for value in kind.enumeration)
    step: XsdSimpleType | None = kind
    while step is not None:
        form = _FORMS.get(step.local_name or "")
        if form:
            return form
        step = step.base_type if isinstance(step.base_type, XsdSimpleType) else None
    return "does not have the form that its type asks for"


def _children(element: etree._Element) -> list[etree._Element]:
    """Child elements, without comments and processing instructions."""
    return list(element.iterchildren(etree.Element))


def _text(element: etree._Element) -> str:
    """The element's own text, around its children and comments."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _name(element: etree._Element) -> str:
    return _short(etree.QName(element).localname)


def _short(name: str) -> str:
    return name if len(name) <= _MAX_NAME else name[:_MAX_NAME] + "…"


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _line(element: etree._Element) -> int | None:
    line: object = element.sourceline  # lxml-stubs give it no type
    return line if isinstance(line, int) else None
