"""A stand-in for the instance metadata service of EC2 (IMDSv2): a token first, then what it is asked with the token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.support.stand_ins.loopback import Answers, serving

__all__ = ["MetadataService", "metadata_service_stand_in"]

_TOKEN = "AQAEAtoken"


@dataclass
class MetadataService:
    """What it holds, by path under /latest/meta-data/."""

    address: str = ""
    data: dict[str, str] = field(default_factory=lambda: {"instance-id": "i-0abc"})
    asked: list[str] = field(default_factory=list)


@contextmanager
def metadata_service_stand_in() -> Iterator[MetadataService]:
    """Serve on a loopback port."""
    state = MetadataService()

    class Answer(Answers, BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            wanted = self.path == "/latest/api/token" and self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            self._answer(200 if wanted else 400, _TOKEN if wanted else "")

        def do_GET(self) -> None:
            state.asked.append(self.path)
            name = self.path.removeprefix("/latest/meta-data/")
            if self.headers.get("X-aws-ec2-metadata-token") != _TOKEN:
                self._answer(401, "")
            elif name in state.data:
                self._answer(200, state.data[name])
            else:
                self._answer(404, "")

        def _answer(self, code: int, text: str) -> None:
            self.answer(code, text.encode())

    with serving(Answer) as state.address:
        yield state
