"""The names that people and authorities have for certificate types."""

import pytest

from intyg.schemas.typefile.lookup import IntygTypes, UnknownNameError, UnknownTypeError
from intyg.schemas.typefile.names import name_and_version, plain


@pytest.fixture(scope="module")
def types() -> IntygTypes:
    return IntygTypes()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Dödsbevis", "DB/1.0"),
        ("DODSBEVIS", "DB/1.0"),
        ("do\u0308dsbevis", "DB/1.0"),  # the ö in two characters, as macOS has it in file names
        (" db ", "DB/1.0"),
        ("TSTRK 1007", "TSTRK1007/7"),
        ("1007", "TSTRK1007/7"),
        ("ts-bas", "TSTRK1007/7"),
        ("Transportstyrelsens läkarintyg", "TSTRK1007/7"),
        ("Transportstyrelsens läkarintyg, diabetes", "TSTRK1031/4"),
        ("TS 8071", "TS8071/2.0"),
        ("FK78002", "FK7802/1"),  # as it is written in letters about it
        ("fk7804", "FK7804/2.0"),
        ("FK 7804", "FK7804/2.0"),
        ("LISJP", "FK7804/2.0"),
        ("Läkarintyg för sjukpenning", "FK7804/2.0"),
        ("läkarintyg sjukpenning", "FK7804/2.0"),
        ("FK 7804 (005 F 001)", "FK7804/2.0"),
        ("FK7804/1", "FK7804/1"),
        ("fk 7804 version 2", "FK7804/2.0"),
        ("LISJP 1.3", "FK7804/1"),
        ("7804", "FK7804/2.0"),
        ("AG 7804", "AG7804/2.0"),
        ("SKR AG7804", "AG7804/2.0"),
        ("AG1-14", "AG1-14/2.0"),
        ("AG114", "AG1-14/2.0"),
        ("LU OMV MEK", "FK3221/1.0"),
        ("3225", "FK3226/1.0"),
        ("Intyg om graviditet", "FK7210/1.0"),
    ],
)
def test_any_name_finds_the_type(types: IntygTypes, name: str, key: str) -> None:
    assert types.named(name).key == key


def test_every_name_in_the_files_finds_its_own_type(types: IntygTypes) -> None:
    for header in types.headers():
        names = (header.code, header.xml_code, *header.aliases, *header.former)
        for name in (*names, header.name, header.xml_display):
            assert types.named(name).code == header.code, name
            assert types.named(f"{name} {header.version}").key == header.key, name


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("dödsbevi", ["DB"]),
        ("sjukpenning", ["FK7804"]),
        ("diabetes", ["TSTRK1031"]),
        ("TSTRK1O07", ["TSTRK1007"]),
    ],
)
def test_the_nearest_are_offered(types: IntygTypes, name: str, near: list[str]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        types.named(name)
    assert set(near) <= set(caught.value.known)
    assert len(caught.value.known) <= 5
    assert f"no certificate type is called {name}; the nearest: " in str(caught.value)


@pytest.mark.parametrize("name", ["FK9999", "", "…", "zzzz"])
def test_where_none_is_near_all_are_named(types: IntygTypes, name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        types.named(name)
    assert set(caught.value.known) == {header.code for header in types.headers()}


def test_a_version_that_there_is_not_is_said_to_be_one(types: IntygTypes) -> None:
    """And is no letter of the number: FK78002 is another type."""
    with pytest.raises(UnknownTypeError, match=r"FK7800 version 2; known: 1, 1\.0, "):
        types.named("FK 7800 2")


def test_a_message_s_code_is_looked_up_as_strictly_as_before(types: IntygTypes) -> None:
    for code in ("FK7804", "Dödsbevis", "TSTRK 1007"):
        with pytest.raises(UnknownTypeError):
            types.find(code, "1.0")


def test_what_does_not_count() -> None:
    assert plain("Läkarintyg för sjukpenning") == plain("LÄKARINTYG  SJUKPENNING!") != ""
    assert plain("för och om") == "forochom"  # a name of nothing else is compared whole
    assert name_and_version("AG1-14") is None
    assert name_and_version("FK 7804 v 1.2") == ("FK 7804", "1.2")
