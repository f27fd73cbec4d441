"""Letting somebody else answer: the one place where a rule opens a connection."""

from collections.abc import Collection, Iterable
from typing import Final

from intyg.mocks.rules.answers import PassThrough
from intyg.mocks.rules.effects import Reply
from intyg.mocks.rules.parse import may_pass
from intyg.mocks.rules.presets import VpCode, write_preset
from intyg.schemas.contract.contract import Contract

HISTORY: Final = "x-rivta-routing-history"
"""Which platforms a call has been through, `#` between; stops loops (VP014)."""

_NOT_PASSED: Final = frozenset(
    {
        "host",
        "connection",
        "keep-alive",
        "content-length",
        "transfer-encoding",
        "accept-encoding",
        "expect",
        "te",
        "upgrade",
        HISTORY,
    }
)


class PassingError(RuntimeError):
    """A call was to be passed on to where it must not go."""


def pass_on(
    effect: PassThrough,
    contract: Contract,
    logical_address: str,
    data: bytes,
    headers: Iterable[tuple[str, str]],
    allowed: Collection[str],
    myself: str,
) -> Reply:
    """
    Post a call as it came, and answer what is answered.

    Args:
        data: The envelope.
        headers: As they came; those that belong to the connection stay here.
        allowed: Addresses beyond loopback that the mock's settings allow.
        myself: What to leave in the routing history.

    Returns:
        The answer; or, as from the national platform, VP014 for a call that was here before and
        VP009 when there is no answer.

    Raises:
        PassingError: The address is neither on loopback nor allowed.
    """
    if not may_pass(effect, allowed):
        raise PassingError("the address is neither on loopback nor allowed")
    given = {name.lower(): value for name, value in headers}
    history = [each for each in given.get(HISTORY, "").split("#") if each]
    if myself in history:
        return Reply(500, write_preset(VpCode.VP014, contract.namespace, logical_address))
    onward = {name: value for name, value in given.items() if name not in _NOT_PASSED}
    onward[HISTORY] = "#".join([*history, myself])
    import requests  # late: mocks start sooner without it

    from intyg.mocks.wire.http_session import http_session

    try:
        with http_session(unwrap=False) as session:
            answer = session.post(
                effect.url.rstrip("/") + contract.path,
                data=data,
                headers=onward,
                timeout=effect.timeout_seconds,
                allow_redirects=False,
            )
    except requests.RequestException:
        return Reply(500, write_preset(VpCode.VP009, contract.namespace, logical_address))
    content_type = answer.headers.get("Content-Type", "text/xml; charset=UTF-8")
    return Reply(answer.status_code, answer.content, content_type)
