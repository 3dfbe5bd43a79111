"""Whether a server can be reached at all, told within seconds."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

from pfactor_bench.errors import CohortError

__all__ = ["reach"]

_CONNECT_SECONDS = 3.0


def reach(url: str, *, fix: str) -> None:
    """Return if a server listens at `url`.

    Parameters
    ----------
    url
        Of the server.
    fix
        What to do about it if nobody does, for the message.

    Raises
    ------
    CohortError
        Within four seconds, whatever name servers and routers do.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    failures: list[OSError] = []
    reached = threading.Event()

    def connect() -> None:
        try:
            with socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_SECONDS):
                reached.set()
        except OSError as error:
            failures.append(error)

    # In a thread, since looking a name up knows no time limit.
    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(_CONNECT_SECONDS + 0.5)
    if not reached.is_set():
        why = failures[0] if failures else "no answer"
        raise CohortError(
            f"cannot reach {parts.hostname}:{port} ({why}), which recordings are fetched from: "
            f"check the network, or {fix}"
        )
