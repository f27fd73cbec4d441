"""
Scripts from YAML: a file holds a list of scripts, or one.

A script without an id is called after its file and place. Faults name file, line and field.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from intyg.mocks.control.operation import FieldFault, problem_of
from intyg.mocks.conversations.script import Script, script_faults
from intyg.mocks.rules.type_codes import ANY_TYPE, TypeCodes
from intyg.mocks.yaml_file import (
    FileFault,
    FilesError,
    Item,
    read_items,
    yaml_files,
)


def read_scripts(paths: Iterable[Path], codes: TypeCodes = ANY_TYPE) -> tuple[Script, ...]:
    """
    Every script of some files and folders, in the order of their names.

    Args:
        codes: What `typ` may be.

    Raises:
        FilesError: Anything is wrong anywhere.
    """
    scripts: dict[str, Script] = {}
    faults: list[FileFault] = []
    for file in yaml_files(paths):
        try:
            for item in read_items(file):
                script, wrong = _read(item, codes)
                faults += [item.fault(each.field, _text(each)) for each in wrong]
                if script is not None and scripts.setdefault(script.id, script) is not script:
                    faults.append(item.fault("id", f"id: {script.id} stands twice"))
        except FilesError as exc:
            faults += exc.faults
    if faults:
        raise FilesError(faults)
    return tuple(scripts.values())


def holds_scripts(file: Path) -> bool:
    """Whether a file is one of these: its first thing says a persona or steps."""
    try:
        items = read_items(file)
    except FilesError:
        return False
    value: Any = items[0].value if items else None
    return isinstance(value, Mapping) and not {"persona", "steps"}.isdisjoint(value)


def parse_script(
    value: Mapping[str, Any], codes: TypeCodes
) -> tuple[Script | None, tuple[FieldFault, ...]]:
    """A script, or everything that keeps it from acting."""
    try:
        script = Script.model_validate(value)
    except ValidationError as exc:
        errors = problem_of(exc, Script).errors
        return None, tuple(errors) or (FieldFault(field="", detail=str(exc.errors()[0]["msg"])),)
    faults = tuple(_faults(script, codes))
    return (None, faults) if faults else (script, ())


def _faults(script: Script, codes: TypeCodes) -> Iterator[FieldFault]:
    for field, text in script_faults(script, codes):
        yield FieldFault(field=field, detail=text)


def _read(item: Item, codes: TypeCodes) -> tuple[Script | None, tuple[FieldFault, ...]]:
    if not isinstance(item.value, Mapping):
        return None, (FieldFault(field="", detail="a script is an object"),)
    return parse_script({"id": item.name, **item.value}, codes)


def _text(fault: FieldFault) -> str:
    return f"{fault.field}: {fault.detail}" if fault.field else fault.detail
