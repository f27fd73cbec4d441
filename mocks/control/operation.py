"""What the control interface can be asked: one operation, its parameters, its errors."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import (
    Annotated,
    Any,
    Final,
    Protocol,
    TypeAlias,
    TypeVar,
    get_args,
    get_type_hints,
)

from pydantic import BaseModel, ConfigDict, PlainSerializer, ValidationError, WithJsonSchema

MOCK: Final = "intyg.mock"
"""Key of the WSGI environment under which the mock stands that is asked."""

MAX_WAIT_SECONDS: Final = 60.0
"""Longer long polls are cut to this; the caller asks again."""


Moment: TypeAlias = Annotated[
    datetime,
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in an answer, with its offset from UTC in figures."""


P_co = TypeVar("P_co", covariant=True)


class MockOf(Protocol[P_co]):
    """A mock, as far as its persona's own operations go."""

    @property
    def persona(self) -> P_co:
        """Who it is."""

    def known_intyg(self) -> set[str]:
        """Ids of certificates that it has heard of."""


class Asked(BaseModel):
    """A request body or a query; a field that is not known is an error, not a typing mistake."""

    # Built when it is first asked: to build all takes a mock longer than to start.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Answered(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True, defer_build=True)


class Done(Answered):
    """There is nothing to say but that it is done."""


class FieldFault(Answered):
    """What is wrong with one field of a request."""

    field: str
    detail: str


class Problem(Answered):
    """An error, as RFC 9457 has it; `errors` lists every field that is to blame."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[FieldFault, ...] = ()


class ProblemError(Exception):
    """
    The request cannot be fulfilled.

    Args:
        status: HTTP status.
        detail: For people; starts with the field where one is to blame.
        errors: The fields that are to blame.
        more: Further members of the problem, as JSON.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[FieldFault] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.more = more or {}

    @classmethod
    def of_field(cls, field_name: str, text: str, status: int = 400) -> "ProblemError":
        """One field is to blame."""
        fault = FieldFault(field=field_name, detail=text)
        return cls(status, f"{field_name}: {text}", [fault])

    @classmethod
    def unknown(cls, what: str, asked: str, known: Iterable[str]) -> "ProblemError":
        """A look-up that found nothing: says what is nearest."""
        return cls(404, f"{what} {asked!r} is not known here; {nearest(asked, known)}")


@dataclass(frozen=True)
class Operation:
    """
    One operation.

    Attributes:
        method: Of HTTP.
        path: A Flask rule below `/control`, e.g. `/journal/<int:number>`.
        handle: What does it. Its first argument is the mock; `query`,
            `body` and `where` are the request's, as the model that they
            are annotated with; the others are the values in `path`. Returns
            an `Answered`, or bytes. Its docstring describes the operation.
        group: What it is listed under.
        status: HTTP status of success.
        content_type: Of an answer in bytes.
        read: Makes the body of the mock and its bytes, where its model alone
            would not say well enough what is wrong; raises ProblemError.
    """

    method: str
    path: str
    handle: Callable[..., Answered | bytes] = field(repr=False)
    group: str
    status: int = 200
    content_type: str = "application/octet-stream"
    read: Callable[[Any, bytes], BaseModel] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Unique among a mock's operations."""
        return self.handle.__name__

    @property
    def summary(self) -> str:
        """One line, without a full stop."""
        return self._doc[0].rstrip(".")

    @property
    def text(self) -> str:
        """What there is to say beyond the summary."""
        return self._doc[2].strip()

    @property
    def _doc(self) -> tuple[str, str, str]:
        return (inspect.getdoc(self.handle) or "").partition("\n")

    @cached_property
    def _hints(self) -> Mapping[str, Any]:
        return get_type_hints(self.handle)

    @property
    def takes(self) -> Mapping[str, Any]:
        """Parameters beside the mock, with their types."""
        names = list(inspect.signature(self.handle).parameters)[1:]
        return {name: self._hints[name] for name in names}

    @property
    def query(self) -> type[Asked] | None:
        """Model of the query, if it takes one."""
        return self.takes.get("query")

    @property
    def body(self) -> type[BaseModel] | None:
        """Model of the request body, if it takes one."""
        return self.takes.get("body")

    def read_body(self, mock: Any, data: bytes) -> BaseModel:
        """
        The body that a request brings, as `handle` takes it.

        Args:
            data: JSON; none at all is an object without fields.

        Raises:
            ProblemError: Everything that is wrong with it, field by field.
        """
        assert self.body is not None
        if self.read is not None:
            return self.read(mock, data)
        try:
            return self.body.model_validate_json(data or b"{}", strict=True)
        except ValidationError as exc:
            raise problem_of(exc, self.body) from None

    @property
    def answers(self) -> type[BaseModel] | None:
        """Model of the answer; None: bytes."""
        answered: type = self._hints["return"]
        return None if answered is bytes else answered


def problem_of(exc: ValidationError, model: type[BaseModel]) -> ProblemError:
    """
    What is wrong with a request, field by field.

    Args:
        model: What it should have been; says which field is nearest to an unknown one.
    """
    faults = [
        _fault(each["type"], each["loc"], each["msg"], _fields_at(model, each["loc"]))
        for each in exc.errors()
    ]
    text = "; ".join(
        f"{each.field}: {each.detail}" if each.field else each.detail for each in faults
    )
    return ProblemError(400, text, [each for each in faults if each.field])


def _fault(
    kind: str, where: tuple[int | str, ...], text: str, known: tuple[str, ...]
) -> FieldFault:
    name = ".".join(map(str, where))
    match kind:
        case "json_invalid":
            return FieldFault(field="", detail="the body is not JSON")
        case "model_type" | "model_attributes_type" | "dataclass_type" if not where:
            return FieldFault(field="", detail="the body must be a JSON object")
        case "missing":
            return FieldFault(field=name, detail="missing")
        case "extra_forbidden" | "unexpected_keyword_argument":
            detail = f"unknown; {nearest(str(where[-1]), known)}" if known else "unknown"
            return FieldFault(field=name, detail=detail)
    return FieldFault(field=name, detail=text.removeprefix("Value error, "))


def _fields_at(model: type[BaseModel], where: tuple[int | str, ...]) -> tuple[str, ...]:
    """The fields that there are beside the one at `where`; none if that cannot be told."""
    for name in (each for each in where[:-1] if isinstance(each, str)):
        fields = {field.alias or key: field for key, field in model.model_fields.items()}
        inner = _model_in(fields[name].annotation) if name in fields else None
        if inner is None:
            return ()
        model = inner
    return tuple(field.alias or key for key, field in model.model_fields.items())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone, in a tuple or perhaps."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def missed(asked: str | None, known: Iterable[str]) -> str | None:
    """What to say when nothing was found of `asked`; None when the reason is not its name."""
    names = set(known)
    return None if asked is None or asked in names else nearest(asked, names)


def nearest(asked: str, known: Iterable[str]) -> str:
    """Of the names that there are, those that `asked` may have meant; in words."""
    names = sorted(set(known))
    if not names:
        return "there is none"
    close = difflib.get_close_matches(asked, names, n=3, cutoff=0.5)
    if close:
        return f"nearest: {', '.join(close)}"
    shown = ", ".join(names[:20])
    return f"there is {shown}" + (f" and {len(names) - 20} more" if len(names) > 20 else "")
