"""What jobs report about themselves (`switchover push`): one small file a check, which needs no agent to be kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from switchover.private_files import read_private, replace_private

__all__ = ["read_report", "write_report"]

_MOST = 64 << 10


def write_report(folder: Path, check: str, report: Mapping[str, Any]) -> None:
    """Keep the newest report for a check, durably. Raise `OSError`."""
    replace_private(_path(folder, check), json.dumps(dict(report)).encode())


def read_report(folder: Path, check: str) -> Mapping[str, Any]:
    """Return the newest report for a check; empty where there is none, or none that can be read."""
    try:
        found = json.loads(read_private(_path(folder, check), _MOST))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        return {"unreadable": getattr(error, "strerror", None) or "it is no JSON"}
    return found if isinstance(found, dict) else {"unreadable": "it is no JSON object"}


def _path(folder: Path, check: str) -> Path:
    return folder / f"{quote(check, safe='')}.json"
