"""The only place that imports spyne: mends release 2.14 for Python 3.12 and later, and silences it.

Three things are wrong with spyne 2.14.0 from our point of view:

- It carries an old copy of `six` that Python 3.12 cannot import (its `six.moves` has no
  `find_spec`). The `six` package takes its place, on every Python so that there is one code path.
- It imports `cgi`, which is deprecated in 3.11 and gone in 3.13, where `legacy-cgi` provides it.
- It logs requests: the whole message when it does not parse. Its loggers are switched off.
"""

import importlib
import logging
import operator
import sys
import types
import warnings
from typing import Final

# The parts of six.moves that spyne's modules import by name.
_MOVES: Final = (
    "collections_abc",
    "http_cookies",
    "urllib",
    "urllib.error",
    "urllib.parse",
    "urllib.request",
)


def _stand_in_for_six() -> None:
    """Register the `six` package as `spyne.util.six`, before spyne asks for it."""
    name = "spyne.util.six"
    six = importlib.import_module("six")  # not a plain import: it has no types
    stand_in = types.ModuleType(name)
    stand_in.__dict__.update({k: v for k, v in vars(six).items() if not k.startswith("__")})
    # spyne's copy has this one more than the package.
    stand_in.__dict__["get_function_name"] = operator.attrgetter("__name__")
    sys.modules[name] = stand_in
    sys.modules[f"{name}.moves"] = six.moves
    for part in _MOVES:
        sys.modules[f"{name}.moves.{part}"] = importlib.import_module(f"six.moves.{part}")


def _silence() -> None:
    """Stop all of spyne's loggers at their common root, whatever the logging set-up is."""
    root = logging.getLogger("spyne")
    root.setLevel(logging.CRITICAL + 1)
    root.propagate = False
    root.addHandler(logging.NullHandler())


_silence()
if "spyne" not in sys.modules:
    _stand_in_for_six()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # cgi on 3.11 and 3.12; invalid escapes in spyne's sources
    from spyne import AnyXml, Application, MethodContext, Service, rpc
    from spyne.model.fault import Fault
    from spyne.protocol.soap import Soap11
    from spyne.server import ServerBase

__all__ = [
    "AnyXml",
    "Application",
    "Fault",
    "MethodContext",
    "ServerBase",
    "Service",
    "Soap11",
    "rpc",
]
