"""The list of contracts that GET /services shows, for people and for programs."""

import html
import json
from collections.abc import Iterable

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
{rows}
</table>
</body>
</html>
"""


def as_html(contracts: Iterable[Contract], base: str, environment: Environment) -> bytes:
    """A page with a row for each contract; `base` is the address of `/services`."""
    rows = []
    for contract in contracts:
        address = html.escape(base + contract.path)
        breakable = address.replace("/", "/<wbr>")  # a narrow window breaks it at its steps
        rows.append(
            f"<tr><td>{html.escape(contract.name)} {contract.major}</td>"
            f'<td><code>{breakable}</code></td><td><a href="{address}?wsdl">WSDL</a></td></tr>'
        )
    return _PAGE.format(rows="\n".join(rows), environment=environment.value).encode()


def as_json(contracts: Iterable[Contract], base: str, environment: Environment) -> bytes:
    """`{"environment", "services": [{"contract", "major", "namespace", "address", "wsdl"}]}`."""
    services = [
        {
            "contract": contract.name,
            "major": contract.major,
            "namespace": contract.namespace,
            "address": base + contract.path,
            "wsdl": f"{base}{contract.path}?wsdl",
        }
        for contract in contracts
    ]
    listed = {"environment": environment.value, "services": services}
    return json.dumps(listed, indent=2).encode() + b"\n"
