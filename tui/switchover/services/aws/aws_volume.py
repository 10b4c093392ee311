"""What EC2 says about a volume of EBS, read into plain words. Keys as in its API reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from switchover.redaction import sanitize
from switchover.services.polling_cache import CloudItem
from switchover.services.provider_api import Capability, Observation, ProcessState
from switchover_checks.api import Status

__all__ = ["volume_item"]

_STATES = {
    "in-use": (ProcessState.RUNNING, Status.OK, "in use"),
    "available": (ProcessState.STOPPED, Status.WARN, "attached to nothing, and paid for"),
    "creating": (ProcessState.STOPPED, Status.PENDING, "creating"),
    "deleting": (ProcessState.STOPPED, Status.CRIT, "deleting"),
    "deleted": (ProcessState.STOPPED, Status.CRIT, "deleted"),
    "error": (ProcessState.STOPPED, Status.CRIT, "error"),
}


def volume_item(volume: Mapping[str, Any]) -> CloudItem:
    """Read a volume: its state, its size and type, and what it is attached to."""
    name, word = str(volume["VolumeId"]), str(volume.get("State", "unknown"))
    state, health, words = _STATES.get(word, (ProcessState.UNKNOWN, Status.UNKNOWN, word))
    kind = f"{volume.get('Size', '?')} GiB {volume.get('VolumeType', '')}".strip()
    places = [f"{one.get('InstanceId')} {one.get('Device', '')}".strip() for one in volume.get("Attachments") or ()]
    said = [words, kind, *places, *([] if volume.get("Encrypted", True) else ["not encrypted"])]
    seen = Observation(
        state, health, sanitize("; ".join(said)), identity=name, image=kind, can=frozenset({Capability.INSPECT})
    )
    tags = {str(tag.get("Key")): str(tag.get("Value")) for tag in volume.get("Tags") or ()}
    return CloudItem(name, sanitize(tags.get("Name") or name), seen, moving=word in ("creating", "deleting"))
