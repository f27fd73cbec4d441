"""The list of contracts that GET /services shows, for people and for programs."""

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from intyg.adapter.domain.environment import Environment
from intyg.schemas.contract.contract import Contract

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Services, {environment}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 82rem; padding: 0 1rem }}
th, td {{ padding: .3rem 1rem .3rem 0; text-align: left; vertical-align: baseline }}
td:first-child {{ white-space: nowrap }}
code {{ font-size: .8em }}
</style>
</head>
<body>
<h1>Services</h1>
<p>Environment: <strong>{environment}</strong>.</p>
<p>SOAP 1.1, RIV-TA Basic Profile 2.1. Post a message to an address; its WSDL is there with
<code>?wsdl</code>.</p>
<table>
<tr><th>Contract</th><th>Address</th><th></th></tr>
{served}
</table>
{sent}</body>
</html>
"""

_SENT = """<h2>Sent to you</h2>
<p>These an EHR serves itself, at an address that a route names.</p>
<table>
<tr><th>Contract</th><th>Path</th><th></th></tr>
{rows}
</table>
"""


@dataclass(frozen=True)
class Shown:
    """
    The contracts.

    Attributes:
        served: Here.
        sent: From here, to an EHR that serves them.
    """

    served: Sequence[Contract]
    sent: Sequence[Contract] = ()


def as_html(shown: Shown, base: str, environment: Environment) -> bytes:
    """A page with a row for each contract; `base` is the address of `/services`."""
    sent = _SENT.format(rows=_rows(shown.sent, base, "")) if shown.sent else ""
    served = _rows(shown.served, base, base)
    return _PAGE.format(served=served, sent=sent, environment=environment.value).encode()


def _rows(contracts: Iterable[Contract], base: str, at: str) -> str:
    """
    Args:
        at: What the shown path begins with.
    """
    rows = []
    for contract in contracts:
        wsdl = html.escape(f"{base}{contract.path}?wsdl")
        # A narrow window breaks it at its steps.
        breakable = html.escape(at + contract.path).replace("/", "/<wbr>")
        rows.append(
            f"<tr><td>{html.escape(contract.name)} {contract.major}</td>"
            f'<td><code>{breakable}</code></td><td><a href="{wsdl}">WSDL</a></td></tr>'
        )
    return "\n".join(rows)


def as_json(shown: Shown, base: str, environment: Environment) -> bytes:
    """`{"environment", "services": [{"contract", …, "address", "wsdl"}], "sent_to_you": […]}`."""
    listed = {
        "environment": environment.value,
        "services": [
            {**_described(contract, base), "address": base + contract.path}
            for contract in shown.served
        ],
        "sent_to_you": [_described(contract, base) for contract in shown.sent],
    }
    return json.dumps(listed, indent=2).encode() + b"\n"


def _described(contract: Contract, base: str) -> dict[str, str | int]:
    return {
        "contract": contract.name,
        "major": contract.major,
        "namespace": contract.namespace,
        "wsdl": f"{base}{contract.path}?wsdl",
    }
