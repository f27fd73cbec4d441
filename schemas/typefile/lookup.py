"""The certificate types: which there are, and finding the one a certificate says it is.

A type and version is one file, `schemas/intyg/<code>-<version>.yaml`; files of a user's own folder
add to them or take the place of one of them. Headers are read at once, a type's questions and rules
when it is first asked for.
"""

import re
import threading
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from lxml import etree

from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import CodeList, IntygHeader, IntygType
from intyg.schemas.rules.check import IntygCheck
from intyg.schemas.typefile.names import name_and_version, names_of, nearest, plain
from intyg.schemas.typefile.reader import (
    TypeFileError,
    read_code_lists,
    read_header,
    read_intyg_type,
)

BUILT_IN: Final = Path(__file__).resolve().parents[1] / "intyg"
"""Where the types of this package are."""

CODE_LISTS: Final = "codelists.yaml"
"""Code lists that several types share; the one file in a types folder that is no type."""


_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,19}|[0-9]{1,5}(\.[0-9]{1,3}){0,2}")


class UnknownTypeError(LookupError):
    """A certificate says a type or version that there is not."""

    def __init__(self, code: str, version: str | None, known: tuple[str, ...]) -> None:
        # As written only when they can be codes: a message could hold anything here.
        asked = (code.strip(), (version or "").strip())
        shown = [text if _CODE.fullmatch(text) else "…" for text in asked]
        wanted = shown[0] if version is None else f"{shown[0]} version {shown[1]}"
        super().__init__(f"unknown certificate type {wanted}; known: {', '.join(known)}")
        self.code = code
        self.version = version
        self.known = known


class UnknownNameError(UnknownTypeError):
    """Nobody calls a type so; `known` has the codes of those that may have been meant, or all."""

    def __init__(self, name: str, headers: tuple[IntygHeader, ...]) -> None:
        near = nearest(name, headers)
        super().__init__(name, None, tuple(sorted({each.code for each in near or headers})))
        if near:
            meant = ", ".join(f"{each.code} ({each.name})" for each in near)
            self.args = (f"no certificate type is called {name.strip()}; the nearest: {meant}",)


class IntygTypes:
    """
    All certificate types of this package and of one more folder.

    Args:
        types_dir: A folder with more type files, and code lists if it needs
            its own. A wrong file there is left out and named in `refused`.

    Attributes:
        refused: What was wrong with files in `types_dir`.

    Raises:
        TypeFileError: A file of this package is wrong.
    """

    def __init__(self, types_dir: Path | None = None) -> None:
        self.refused: tuple[TypeFileError, ...] = ()
        self._paths: dict[tuple[str, str], Path] = {}
        self._headers: dict[tuple[str, str], IntygHeader] = {}
        self._lists: Mapping[str, CodeList] = _our_lists(BUILT_IN / CODE_LISTS)
        self._types: dict[tuple[str, str], IntygType] = {}
        self._checks: dict[tuple[str, str], IntygCheck] = {}
        self._lock = threading.Lock()
        for path in _type_files(BUILT_IN):
            self._add(path)
        if types_dir is not None:
            self._add_folder(types_dir)

    def headers(self) -> tuple[IntygHeader, ...]:
        """Every type and version, without questions, by code and version."""
        return tuple(self._headers[key] for key in sorted(self._headers))

    def all(self) -> tuple[IntygType, ...]:
        """Every type and version, whole, by code and version; TypeFileError."""
        return tuple(self._whole(key) for key in sorted(self._headers))

    def find(self, xml_code: str, version: str) -> IntygType:
        """
        The type that a certificate's `typ/code` and `version` name.

        Blanks around them and the case of the code do not count.

        Raises:
            UnknownTypeError: No such type or version; names the known ones.
        """
        return self._whole(self._find_key(xml_code, version))

    def known(self, xml_code: str, version: str) -> IntygType | None:
        """As `find`; None where there is no such type or version, as when its file has gone."""
        try:
            return self.find(xml_code, version)
        except UnknownTypeError:
            return None

    def lookup(self, name: str, version: str | None = None) -> IntygType:
        """
        The type with a name of any kind: XML code, form number, former number or alias.

        Args:
            name: `LISJP`, `FK7804`, `7804`, `7443` or `lisjp`.
            version: A version, of the model or as in the XML; None: the newest.

        Raises:
            UnknownTypeError: No such type or version; names the known ones.
        """
        wanted = name.strip().casefold()
        keys = sorted(key for key, header in self._headers.items() if wanted in _names(header))
        if not keys:
            raise UnknownTypeError(name, None, tuple(sorted({key[0] for key in self._headers})))
        if version is not None:
            of_version = [key for key in keys if _has_version(self._headers[key], version.strip())]
            if not of_version:
                raise UnknownTypeError(name, version, self._known(keys))
            keys = of_version
        return self._whole(max(keys, key=lambda key: [int(n) for n in key[1].split(".")]))

    def named(self, name: str, version: str | None = None) -> IntygType:
        """
        The type that a person means: as `lookup`, or by a name as authorities write it.

        Args:
            name: `Dödsbevis`, `TSTRK 1007`, `Läkarintyg för sjukpenning`, also with the version,
                `FK7804/1`; see `names.py` for what does not count.
            version: As for `lookup`.

        Raises:
            UnknownNameError: No type is called so; names the nearest.
            UnknownTypeError: No such version; names the known ones.
        """
        split = name_and_version(name) if version is None else None
        for called, wanted in ([split] if split else []) + [(name, version)]:
            code = self._code_called(called)
            if code is not None:
                return self.lookup(code, wanted)
        raise UnknownNameError(name, self.headers())

    def _code_called(self, name: str) -> str | None:
        """The form number of the one type that is called so."""
        wanted = plain(name)
        codes = {h.code: plain(h.code) for h in self._headers.values() if wanted in names_of(h)}
        if len(codes) > 1:  # a user's own type may take a name of ours, and its number then tells
            codes = {code: form for code, form in codes.items() if form == wanted}
        return min(codes, default=None)

    def check(
        self,
        intyg_type: IntygType,
        intyg: etree._Element,
        *,
        today: date,
        at_signing: bool = True,
    ) -> list[Finding]:
        """Check an `intyg` element against its type; see `IntygCheck.check`."""
        return self._check_of(intyg_type).check(intyg, today=today, at_signing=at_signing)

    def _check_of(self, intyg_type: IntygType) -> IntygCheck:
        key = (intyg_type.code, intyg_type.version)
        check = self._checks.get(key)
        if check is None or check.intyg_type is not intyg_type:
            check = IntygCheck(intyg_type)
            self._checks[key] = check
        return check

    def _find_key(self, xml_code: str, version: str) -> tuple[str, str]:
        code, wanted = xml_code.strip().casefold(), version.strip()
        keys = [key for key, header in self._headers.items() if header.xml_code.casefold() == code]
        if not keys:
            known = tuple(sorted({header.xml_code for header in self._headers.values()}))
            raise UnknownTypeError(xml_code.strip(), None, known)
        for key in keys:
            if wanted in self._headers[key].xml_versions:
                return key
        raise UnknownTypeError(xml_code.strip(), wanted, self._known(keys))

    def _known(self, keys: list[tuple[str, str]]) -> tuple[str, ...]:
        return tuple(version for key in sorted(keys) for version in self._headers[key].xml_versions)

    def _whole(self, key: tuple[str, str]) -> IntygType:
        found = self._types.get(key)
        if found is None:
            with self._lock:
                found = self._types.get(key)
                if found is None:
                    found = self._types[key] = self._read(self._paths[key])
        return found

    def _read(self, path: Path) -> IntygType:
        if self._lists is _our_lists(BUILT_IN / CODE_LISTS):
            return _our_type(path)
        return read_intyg_type(path, self._lists)

    def _add_folder(self, folder: Path) -> None:
        refused: list[TypeFileError] = []
        if (folder / CODE_LISTS).exists():
            _tried(lambda: self._add_lists(folder / CODE_LISTS), refused)
        for path in _type_files(folder):
            # read whole, so that a wrong file is known before its type is asked for
            _tried(lambda path=path: self._add_whole(path), refused)  # type: ignore[misc]
        self.refused = tuple(refused)

    def _add_lists(self, path: Path) -> None:
        self._lists = {**self._lists, **read_code_lists(path)}

    def _add_whole(self, path: Path) -> None:
        intyg_type = read_intyg_type(path, self._lists)
        key = (intyg_type.code, intyg_type.version)
        self._refuse_twin(key, path)
        self._headers[key] = self._types[key] = intyg_type
        self._paths[key] = path

    def _add(self, path: Path) -> None:
        header = _our_header(path)
        key = (header.code, header.version)
        self._refuse_twin(key, path)
        self._headers[key] = header
        self._paths[key] = path

    def _refuse_twin(self, key: tuple[str, str], path: Path) -> None:
        """A user's file may take the place of one of ours; two in one folder are a mistake."""
        other = self._paths.get(key)
        if other is not None and other.parent == path.parent:
            raise TypeFileError(path, 1, f"{'/'.join(key)} is also in {other.name}")


# A package's own files stay as they are while it is loaded: each is read once, however many
# adapters and mocks a process makes.


@cache
def _our_lists(path: Path) -> Mapping[str, CodeList]:
    return read_code_lists(path)


@cache
def _our_header(path: Path) -> IntygHeader:
    return read_header(path)


@cache
def _our_type(path: Path) -> IntygType:
    return read_intyg_type(path, _our_lists(path.with_name(CODE_LISTS)))


def _tried(add: Callable[[], None], refused: list[TypeFileError]) -> None:
    try:
        add()
    except TypeFileError as exc:
        refused.append(exc)


def _type_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yaml") if path.name != CODE_LISTS)


def _names(header: IntygHeader) -> set[str]:
    """Everything that a type is called, in lower case."""
    names = {header.code, header.xml_code, *header.aliases, *header.former}
    names |= {name.removeprefix("FK") for name in (header.code, *header.former)}
    return {name.casefold() for name in names}


def _has_version(header: IntygHeader, version: str) -> bool:
    return not {version, f"{version}.0"}.isdisjoint((header.version, *header.xml_versions))
