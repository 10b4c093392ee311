"""Does a command destroy, by its text? Only what is known to: a script of the team's own is not looked into."""

from __future__ import annotations

import re
from itertools import dropwhile

from switchover.plan.rules.shell_quotes import plain_commands

__all__ = ["destroys"]

_SQL = re.compile(
    r"\b(?:DROP\s+(?:TABLE|DATABASE|SCHEMA|KEYSPACE|COLLECTION)|TRUNCATE(?:\s+TABLE)?\s+\w+)\b", re.IGNORECASE
)
_TEXT_ONLY = frozenset({"echo", "printf", "grep", "egrep", "rg", "cat", "#"})
_PREFIXES = frozenset(str.split("sudo doas exec time nice nohup env command then do else if !"))
_SCRATCH = re.compile(r"^(?:/tmp/|/var/tmp/|\$\{?(?:TMPDIR|TMP|TEMP)\b)|mktemp")
_COMMANDS = tuple(
    re.compile(text)
    for text in (
        r"^(?:docker[- ]compose|podman[- ]compose)\b.* down\b.* (?:-v|--volumes)\b",
        r"^(?:docker|podman) (?:volume (?:rm|prune)|system prune)\b",
        r"^(?:terraform|tofu|pulumi|cdk) destroy\b",
        r"^(?:terraform|tofu) apply\b.* -destroy\b",
        r"^(?:kubectl|oc) (?:(?:-n|--namespace|--context) \S+ )*delete\b",
        r"^helm (?:uninstall|delete)\b",
        r"^(?:dropdb|dropuser|wipefs|shred|lvremove|vgremove|mkfs(?:\.\w+)?)\b",
        r"^zfs destroy\b",
        r"^redis-cli\b.* (?:flushall|flushdb|FLUSHALL|FLUSHDB)\b",
        r"^aws \S+ (?:delete-|terminate-)",
        r"^aws s3 (?:rb|rm)\b",
        r"^(?:gcloud|az)\b.* delete\b",
        r"^find\b.* -delete\b",
        r"^dd\b.* of=/dev/(?!null)",
    )
)


def destroys(text: str) -> str:
    """Return what in a shell text destroys, shortened; empty where nothing is known to."""
    for command in plain_commands(text):
        words = list(dropwhile(_PREFIXES.__contains__, command))
        if not words or words[0] in _TEXT_ONLY:
            continue
        line = " ".join(words)
        sql = _SQL.search(line)
        if sql is not None:
            return sql[0]
        if _removes_all(words) or any(known.search(line) for known in _COMMANDS):
            return line if len(line) <= 50 else f"{line[:47]}…"
    return ""


def _removes_all(words: list[str]) -> bool:
    """Tell `rm -rf` of anything but scratch files."""
    if words[0].rpartition("/")[2] != "rm":
        return False
    options = "".join(word.lstrip("-") for word in words[1:] if re.fullmatch(r"-[A-Za-z]+", word))
    options += "r" * ("--recursive" in words) + "f" * ("--force" in words)
    targets = [word for word in words[1:] if not word.startswith("-")]
    return {"r", "f"} <= set(options.lower()) and not all(_SCRATCH.search(target) for target in targets)
