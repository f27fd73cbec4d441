"""Reading the files of `[server.tls]` again while the adapter runs.

Each time a context is made anew, so that what is no longer in the files is no longer believed: an
authority that was taken out, a revocation list that was replaced. Connections that are open stay;
sessions of before are not resumed.
"""

import ssl
from collections.abc import Callable

import structlog

from intyg.adapter.clients.watch import FilesWatch
from intyg.adapter.doctor.checks import server_tls_remarks
from intyg.adapter.domain.environment import Environment
from intyg.adapter.httpd.tls import server_context
from intyg.adapter.settings.settings import ServerTlsSettings, SettingsError

_log = structlog.get_logger("intyg.adapter.httpd.server")


class TlsReloader(FilesWatch):
    """
    Watches the files, in a thread of its own between `start` and `stop`.

    Files that would have refused the start change nothing, and the log says why.

    Args:
        tls: Which files.
        environment: What must hold there is asked each time.
        use: Takes a new context, for connections to come.
    """

    def __init__(
        self,
        tls: ServerTlsSettings,
        environment: Environment,
        use: Callable[[ssl.SSLContext], None],
    ) -> None:
        super().__init__(
            "server.tls", [tls.cert, tls.key or tls.cert, *tls.client_ca, *tls.client_crl]
        )
        self._tls = tls
        self._environment = environment
        self._use = use

    def read(self) -> bool:
        try:
            context = server_context(self._tls)
            remarks = server_tls_remarks(self._tls, self._environment)
            reasons = [remark.text for remark in remarks if remark.refuses]
        except SettingsError as exc:
            reasons = [str(exc)]
        if reasons:
            _log.error("server.tls_files_refused", **{"error.message": "; ".join(reasons)})
            return False
        self._use(context)
        _log.info("server.tls_files_read")
        return True
