"""The notice that AWS gives two minutes before it takes a Spot instance back, read on the instance itself (IMDSv2)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["SpotNotice", "SpotWatch", "metadata_service"]

_EVERY_S = 5.0
_TIMEOUT_S = 2.0
_TOKEN_S = 300
_VENDOR = Path("/sys/class/dmi/id/sys_vendor")


@dataclass(frozen=True, slots=True)
class SpotNotice:
    """What was said: which instance, what happens to it (terminate, stop, hibernate) and when (epoch seconds)."""

    instance: str
    action: str
    at: float

    def words(self) -> str:
        """Return it for the timeline."""
        return f"Spot interruption at {datetime.fromtimestamp(self.at, UTC):%H:%M} UTC ({self.action})"


def metadata_service(environment: Mapping[str, str] | None = None, vendor: Path = _VENDOR) -> str:
    """Return where the metadata service is, empty where this is no instance of EC2 or it may not be asked."""
    known = os.environ if environment is None else environment
    if known.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return ""
    if endpoint := known.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        return endpoint.rstrip("/")
    try:
        here = vendor.read_text().strip() == "Amazon EC2"
    except OSError:
        here = False
    return "http://169.254.169.254" if here else ""


class SpotWatch:
    """Asks the metadata service of this instance every few seconds, as AWS recommends."""

    def __init__(self, base_url: str, every: float = _EVERY_S) -> None:
        self._base = base_url
        self._every = every

    async def run(self, tell: Callable[[SpotNotice], None]) -> None:
        """Tell each notice once, until cancelled."""
        told: set[SpotNotice] = set()
        while True:
            notice = await self.probe()
            if notice is not None and notice not in told:
                told.add(notice)
                tell(notice)
            await asyncio.sleep(self._every)

    async def probe(self) -> SpotNotice | None:
        """Ask once; None where there is no notice, or no answer."""
        import httpx

        try:
            async with httpx.AsyncClient(base_url=self._base, timeout=_TIMEOUT_S, trust_env=False) as client:
                life = {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_S)}
                token = await client.put("/latest/api/token", headers=life)
                if token.status_code != 200:
                    return None
                head = {"X-aws-ec2-metadata-token": token.text.strip()}
                answer = await client.get("/latest/meta-data/spot/instance-action", headers=head)
                if answer.status_code != 200:  # 404: it is not to be interrupted
                    return None
                instance = await client.get("/latest/meta-data/instance-id", headers=head)
                said = answer.json()
                at = datetime.fromisoformat(str(said["time"])).timestamp()
                return SpotNotice(instance.text.strip(), str(said["action"]), at)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError, TypeError):
            return None
