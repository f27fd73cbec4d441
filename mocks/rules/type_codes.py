"""The codes of certificate types, where rules and scripts name them."""

from collections.abc import Iterable, Iterator
from typing import Final

from intyg.mocks.rules.model import not_nearly
from intyg.schemas.intyg_model import IntygHeader


class TypeCodes:
    """
    Which codes there are.

    Args:
        headers: Of the certificate types; without any, every code may be meant.
    """

    def __init__(self, headers: Iterable[IntygHeader] = ()) -> None:
        self._codes: set[str] = set()
        self._of_form: dict[str, str] = {}
        for each in headers:
            self._codes.add(each.xml_code)
            self._of_form |= dict.fromkeys((each.code, *each.former), each.xml_code)

    def faults(self, wanted: Iterable[str] | None) -> Iterator[str]:
        """
        What is wrong with the values of a criterion `typ`, in words.

        Calls may bear codes that there are not; but hardly a form's number, which is never one, or
        a code that a letter tells from one that there is.
        """
        for each in wanted or ():
            if each in self._of_form and each not in self._codes:
                yield f"{each} is {self._of_form[each]} in a certificate"
            elif (near := not_nearly(each, self._codes)) is not None:
                yield near


ANY_TYPE: Final = TypeCodes()
