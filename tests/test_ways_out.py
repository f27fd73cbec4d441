"""No line of the adapter opens a connection beside the guard: read from the code, not tried.

One client sends, and who may use it stands in a table: the transport, which asks the guard first,
and few others. Whatever else may open a connection stands in a table with what it sends there, and
what runs in a serving adapter is a smaller one.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from intyg import adapter

ROOT: Final = Path(adapter.__file__).parents[1]

CAN_CONNECT: Final = frozenset(
    {
        "aiohttp", "asyncio", "ctypes", "ftplib", "http.client", "httplib2", "httpx", "imaplib",
        "logging.handlers", "multiprocessing", "poplib", "psycopg", "pycurl", "requests", "smtplib",
        "socket", "socketserver", "subprocess", "telnetlib", "urllib.request", "urllib3",
        "websockets", "xmlrpc", "zeep",
    }
)  # fmt: skip
"""Libraries by which something could leave this process, or another be started that sends it."""

CONNECTS: Final = frozenset(
    {
        "connect", "connect_ex", "create_connection", "get_server_certificate", "sendmsg", "sendto",
        "urlopen", "urlretrieve", "open_connection", "HTTPConnection", "HTTPSConnection",
        "push_to_gateway", "pushadd_to_gateway", "Popen", "check_call", "check_output",
    }
)  # fmt: skip
"""Names of what such libraries do."""

CLIENT: Final = "intyg.adapter.clients.http_client"
SERVES: Final = {
    CLIENT: "what those in `CLIENT_OF` give it",
    "intyg.adapter.deliver.operation": "nothing: zeep reads a contract, its transport is shut",
    "intyg.adapter.store.engine": "rows to the database",
    "intyg.adapter.store.listen": "nothing: it hears of work from the database",
    "intyg.adapter.bootstrap.doctor_steps": "a destination's name, to `intyg doctor` by itself",
    "intyg.adapter.bootstrap.process_memory": "nothing: it sets a threshold of the C library",
}
"""In a serving adapter, what may connect, and what it sends."""

TRANSPORT: Final = "intyg.adapter.deliver.transport"
DELIVERER: Final = "intyg.adapter.deliver.deliverer"
KNOW_HOOKS: Final = (
    "intyg.adapter.deliver.hook_signature",
    "intyg.adapter.domain.hook",
    "intyg.adapter.flows.shared.announce",
    "intyg.adapter.formats.hook_json",
    "intyg.adapter.settings.hook_secret",
)
ASKS: Final = "intyg.adapter.clients.ask_service"
SENDS_A_FILE: Final = "intyg.adapter.cli.send"
CLIENT_OF: Final = {
    TRANSPORT: "messages, each with the guard's permit for it",
    ASKS: "one question to a register: a number or an HSA-id",
    SENDS_A_FILE: "a file that somebody sends by hand: to this machine, or where the guard lets it",
    "intyg.adapter.doctor.connectivity.soap": "an empty call or a ping",
}
"""Who uses the client, and for what."""

ASK_SMALL_QUESTIONS: Final = (
    "intyg.adapter.guard.register",
    "intyg.adapter.clients.staff_directory",
)
OWN_API: Final = "intyg.adapter.cli.own_api"

LISTENS: Final = (
    "intyg.adapter.httpd.server",
    "intyg.adapter.httpd.connection",
    "intyg.adapter.httpd.loop",
    "intyg.adapter.httpd.ports",
    "intyg.adapter.bootstrap.listening",
    "intyg.adapter.bootstrap.processes",
)
"""Take connections, and open none."""

BY_HAND: Final = {
    "intyg.adapter.cli.validate": "names of files, to processes of its own that check them",
    "intyg.adapter.doctor.connectivity": "an empty call or a ping: does a destination answer",
    "intyg.sandbox.demo": "the demo's own messages, to itself",
    "intyg.sandbox.up.ports": "nothing: it looks which ports are free",
    "intyg.sandbox.adapter_under_test": "what a test calls its own adapter with",
}
"""Only in commands of their own; no serving adapter has them."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of adapter, sandbox and schemas, by name."""
    found = {}
    for package in ("adapter", "pages", "sandbox", "schemas"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = ("intyg", *path.relative_to(ROOT).with_suffix("").parts)
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@cache
def imported(name: str) -> tuple[str, ...]:
    """What a module imports, wherever in it; of `from a import b` both `a` and `a.b`."""
    found: list[str] = []
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import hides what it is"
            assert node.module is not None
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(found)


def can_connect(name: str) -> set[str]:
    """Which such libraries a module knows."""
    return {
        library
        for library in CAN_CONNECT
        for found in imported(name)
        if found == library or found.startswith(f"{library}.")
    }


@cache
def called(name: str) -> frozenset[str]:
    """Names of what a module calls."""
    calls = [node.func for node in ast.walk(modules()[name]) if isinstance(node, ast.Call)]
    return frozenset(
        f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in calls
    )


def reached(start: str) -> set[str]:
    """Our own modules that are there once `start` is imported."""
    seen, waiting = set[str](), [start]
    while waiting:
        name = waiting.pop()
        if name in modules() and name not in seen:
            seen.add(name)
            waiting += imported(name)
    return seen


def by_hand(name: str) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in BY_HAND)


def test_only_modules_that_are_known_can_open_a_connection() -> None:
    able = {name for name in modules() if can_connect(name)}
    assert {name for name in able if not by_hand(name)} == {*SERVES, *LISTENS}


def test_a_serving_adapter_has_nothing_that_sends_by_hand() -> None:
    serving = reached("intyg.adapter.bootstrap.app") | reached("intyg.adapter.deliver.worker")
    assert TRANSPORT in serving
    assert not [name for name in serving if by_hand(name)]
    assert serving & makers_of_clients() == {TRANSPORT, ASKS}


@pytest.mark.parametrize("name", LISTENS)
def test_what_listens_opens_no_connection(name: str) -> None:
    allowed = (
        {"Popen"} if name == "intyg.adapter.bootstrap.processes" else set()
    )  # starts its own kind
    assert called(name) & CONNECTS <= allowed


def test_nothing_else_calls_what_connects() -> None:
    """Also by way of a library that is not on the list."""
    callers = {name for name in modules() if called(name) & CONNECTS and not by_hand(name)}
    assert callers <= {*SERVES, "intyg.adapter.bootstrap.processes"}


def users_of(module: str) -> set[str]:
    return {name for name in modules() if module in imported(name)}


def makers_of_clients() -> set[str]:
    return {name for name in modules() if "HttpClient" in called(name)}


def test_only_those_who_are_known_have_a_client() -> None:
    assert makers_of_clients() == {*CLIENT_OF}
    # The others are told by its error why a register does not answer.
    told = {*ASK_SMALL_QUESTIONS, OWN_API}
    assert users_of(CLIENT) == {*CLIENT_OF, *told}
    for name in told:
        assert [one for one in imported(name) if one.startswith(f"{CLIENT}.")] == [
            f"{CLIENT}.NoAnswerError"
        ]


def test_the_transport_sends_by_its_client_alone_and_after_the_question() -> None:
    assert not can_connect(TRANSPORT)
    lines = _lines_of("post_delivery", TRANSPORT)
    assert len(lines["exchange"]) == 1
    assert lines["ask"] < lines["exchange"]
    (client,) = (
        node
        for node in ast.walk(modules()[TRANSPORT])
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "HttpClient"
    )
    assert ast.unparse(client.args[1]) == "gate.redeem"
    assert len(_lines_of("GuardedTransport", TRANSPORT)["exchange"]) == 1
    assert [*_calls(modules()[TRANSPORT])].count("exchange") == 1


def test_what_hooks_are_told_leaves_by_the_transport_like_everything_else() -> None:
    """Whoever makes, signs or queues it has no client; one line posts, whatever it posts."""
    for name in KNOW_HOOKS:
        assert not can_connect(name)
        assert not called(name) & {*CONNECTS, "HttpClient", "exchange", "post_delivery"}
    assert [*_calls(modules()[DELIVERER])].count("post_delivery") == 1
    posting = {name for name in modules() if "post_delivery" in called(name)}
    assert posting == {DELIVERER}


def test_one_line_of_the_client_sends_and_it_is_after_the_leave() -> None:
    lines = _lines_of("exchange", CLIENT)
    assert lines["_leave"] < lines["_exchange"]
    calls = [*_calls(modules()[CLIENT])]
    assert calls.count("request") == 1  # http.client's
    assert calls.count("create_connection") == 1  # in a connection, whose clock must be running
    assert calls.count("send") == 1  # likewise, in its socket
    assert not {"sendall", "sendto", "sendmsg", "connect", "urlopen"} & {*calls}


def test_a_file_is_sent_by_one_line_after_the_question() -> None:
    lines = _lines_of("post_file", SENDS_A_FILE)
    assert len(lines["exchange"]) == 1
    assert lines["permitted"] < lines["exchange"]
    assert [*_calls(modules()[SENDS_A_FILE])].count("exchange") == 1


def test_the_small_questions_are_asked_by_two_who_know_no_message() -> None:
    askers = users_of("intyg.adapter.clients.ask_service")
    # The third is a command: it tells the adapter of its own settings what an operator wants.
    assert askers == {*ASK_SMALL_QUESTIONS, OWN_API}
    for name in askers:
        known = reached(name)
        assert not {
            one
            for one in known
            if one.startswith(("intyg.adapter.store", "intyg.adapter.formats.safe_xml"))
        }


def _calls(tree: ast.AST) -> Iterator[str]:
    """Names of the methods that are called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def _lines_of(definition: str, module: str) -> dict[str, list[int]]:
    """Of a function or class: in which lines each name is called."""
    (found,) = (
        node
        for node in ast.walk(modules()[module])
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == definition
    )
    lines: dict[str, list[int]] = {}
    for node in ast.walk(found):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            lines.setdefault(name, []).append(node.lineno)
    return lines
