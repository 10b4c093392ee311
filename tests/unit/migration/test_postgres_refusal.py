"""A server that takes no logins for now says so by its code, in whatever language it speaks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from switchover.errors import JournalAwayError, JournalError
from switchover.migration.journal.postgres_session import PostgresSession
from switchover.settings import JournalAddress


def refusal(code: str, text: str) -> bytes:
    fields = b"".join(kind + word.encode() + b"\0" for kind, word in ((b"S", "FATAL"), (b"C", code), (b"M", text)))
    return b"E" + (len(fields) + 5).to_bytes(4, "big") + fields + b"\0"


@contextmanager
def server(said: bytes) -> Iterator[str]:
    """Refuse every login with this message; refuse TLS before."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                if line.recv(8) == b"\0\0\0\x08\x04\xd2\x16\x2f":
                    line.sendall(b"N")
                    line.recv(8)
                line.sendall(said)
                line.recv(8192)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"postgresql://ann@127.0.0.1:{listener.getsockname()[1]}/shop?gssencmode=disable"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("57P03", "das Datenbanksystem startet"),
        ("57P03", "le système de bases de données s'arrête"),
        ("53300", "tut uns leid, schon zu viele Verbindungen"),
        ("57P01", "Verbindung wird abgebrochen aufgrund von Anweisung des Administrators"),
    ],
)
def test_what_passes_by_itself_is_away_in_every_language(code: str, text: str) -> None:
    with server(refusal(code, text)) as url, pytest.raises(JournalAwayError, match=text):
        PostgresSession(JournalAddress(url))


@pytest.mark.parametrize(
    ("code", "text"), [("28P01", "Passwort-Authentifizierung fehlgeschlagen"), ("3D000", "Datenbank existiert nicht")]
)
def test_what_a_person_has_to_mend_is_not_called_away(code: str, text: str) -> None:
    with server(refusal(code, text)) as url, pytest.raises(JournalError, match="does not let you in") as caught:
        PostgresSession(JournalAddress(url))
    assert not isinstance(caught.value, JournalAwayError)
