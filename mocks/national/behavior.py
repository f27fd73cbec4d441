"""The national mock service's behaviour rules, and the same as rules of ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from intyg.mocks.rules.answers import (
    MAX_SECONDS,
    Effect,
    Error,
    FixedDelay,
    Info,
    Invalid,
    Normal,
    Ok,
    Shape,
)
from intyg.mocks.rules.model import Match, Rule, unknown
from intyg.schemas.codes import ErrorId, ResultCode


class ServiceName(StrEnum):
    """The services that it mocks."""

    REGISTER_CERTIFICATE = "REGISTER_CERTIFICATE"
    REVOKE_CERTIFICATE = "REVOKE_CERTIFICATE"
    SEND_MESSAGE_TO_RECIPIENT = "SEND_MESSAGE_TO_RECIPIENT"
    CERTIFICATE_STATUS_UPDATE_FOR_CARE = "CERTIFICATE_STATUS_UPDATE_FOR_CARE"
    STORE_LOG = "STORE_LOG"


CONTRACTS: Final[Mapping[ServiceName, str]] = {
    ServiceName.REGISTER_CERTIFICATE: "RegisterCertificate",
    ServiceName.REVOKE_CERTIFICATE: "RevokeCertificate",
    ServiceName.SEND_MESSAGE_TO_RECIPIENT: "SendMessageToRecipient",
    ServiceName.CERTIFICATE_STATUS_UPDATE_FOR_CARE: "CertificateStatusUpdateForCare",
}
"""All but STORE_LOG, which is another domain's contract."""

TOLD: Final = frozenset({"id", "triggerCount", "createdAt"})
"""What it says of a rule and does not read."""


class BehaviorError(ValueError):
    """A behaviour rule that is none; the text starts with the field."""


class _National(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, validate_by_name=False
    )


class MatchCriteria(_National):
    """Which calls; at least one of the three."""

    logical_address: str | None = None
    certificate_id: str | None = None
    person_id: str | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.logical_address is self.certificate_id is self.person_id is None:
            raise ValueError("must have at least one field; without matchCriteria it is all calls")
        return self


class Behavior(_National):
    """
    A behaviour rule.

    Attributes:
        result_code: What is answered, and nothing is stored; None: the ordinary.
        delay_millis: The answer waits for so long.
        max_trigger_count: So often, then the rule is gone; None: always.
    """

    service_name: ServiceName
    result_code: ResultCode | None = None
    error_id: ErrorId | None = None
    result_text: str | None = None
    delay_millis: Annotated[int, Field(ge=0, le=int(MAX_SECONDS * 1000))] | None = None
    match_criteria: MatchCriteria | None = None
    max_trigger_count: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _error_has_a_code(self) -> Self:
        if self.error_id is not None and self.result_code is None:
            raise ValueError("errorId goes with a resultCode")
        return self


def read_behavior(values: object) -> Behavior:
    """
    A rule from JSON; what the service itself adds to one (`TOLD`) may be there.

    Raises:
        BehaviorError: It is none.
    """
    if not isinstance(values, Mapping):
        raise BehaviorError("a rule is an object")
    try:
        return Behavior.model_validate({k: v for k, v in values.items() if k not in TOLD})
    except ValidationError as exc:
        fault = exc.errors(include_url=False)[0]
        path = ".".join(map(str, fault["loc"]))
        raise BehaviorError(f"{path}: {_in_words(fault)}" if path else _in_words(fault)) from None


def read_behaviors(text: str) -> tuple[Behavior, ...]:
    """
    Rules from a file: one, or a list of them as `GET /api/behavior` gives it.

    Raises:
        BehaviorError: A rule is none; says the how-manieth.
    """
    try:
        values = json.loads(text)
    except ValueError as exc:
        raise BehaviorError(f"no JSON: {exc}") from None
    listed = values if isinstance(values, list) else [values]
    found = []
    for place, each in enumerate(listed, 1):
        try:
            found.append(read_behavior(each))
        except BehaviorError as exc:
            raise BehaviorError(f"rule {place}: {exc}") from None
    return tuple(found)


def rule_of(behavior: Behavior, rule_id: str) -> Rule:
    """
    The same as a rule of ours.

    Both let the rule with most criteria act, and of those the newest.

    Raises:
        BehaviorError: It is about STORE_LOG.
    """
    if behavior.service_name not in CONTRACTS:
        raise BehaviorError(f"serviceName: no mock here takes {behavior.service_name}")
    return Rule(
        id=rule_id,
        match=_match(CONTRACTS[behavior.service_name], behavior.match_criteria),
        answers=(_effect(behavior),),
        count=behavior.max_trigger_count,
        key="all",
        seed=0,
    )


def _match(contract: str, criteria: MatchCriteria | None) -> Match:
    if criteria is None:
        return Match(contract=(contract,))
    person = criteria.person_id
    return Match(
        contract=(contract,),
        logical_address=_one(criteria.logical_address),
        intygs_id=_one(criteria.certificate_id),
        person=None if person is None else _spellings(person),
    )


def _one(value: str | None) -> tuple[str, ...] | None:
    return None if value is None else (value,)


def _spellings(person: str) -> tuple[str, ...]:
    """It looks past the hyphen, in the rule and in the message."""
    plain = person.replace("-", "")
    return (plain, f"{plain[:-4]}-{plain[-4:]}")


def _effect(behavior: Behavior) -> Effect:
    delay = None
    if behavior.delay_millis:
        delay = FixedDelay(seconds=behavior.delay_millis / 1000)
    text = behavior.result_text or ""
    match behavior.result_code:
        case None:
            return Normal(delay=delay)
        case ResultCode.OK:
            return Ok(text=text, store=False, delay=delay)
        case ResultCode.INFO:
            return Info(text=text or "INFO", store=False, delay=delay)
        case ResultCode.ERROR if behavior.error_id is None:
            return Invalid(shape=Shape.NO_ERROR_ID, text=text, delay=delay)
        case ResultCode.ERROR:
            return Error(error_id=behavior.error_id, text=text, delay=delay)


def _in_words(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        model = MatchCriteria if len(fault["loc"]) > 1 else Behavior
        return unknown(str(fault["loc"][-1]), [to_camel(name) for name in model.model_fields])
    if fault["type"] == "enum":
        kinds = {"serviceName": ServiceName, "resultCode": ResultCode, "errorId": ErrorId}
        return unknown(str(fault["input"]), list(kinds[fault["loc"][-1]]))
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    return str(fault["msg"][:1].lower() + fault["msg"][1:])


@dataclass(frozen=True)
class KeptBehavior:
    """
    A behaviour rule in force.

    Attributes:
        triggered: How often it has acted.
    """

    id: str
    behavior: Behavior
    created_at: datetime
    triggered: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether it has acted as often as it may."""
        most = self.behavior.max_trigger_count
        return most is not None and self.triggered >= most
