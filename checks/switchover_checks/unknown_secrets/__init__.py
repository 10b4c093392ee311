"""Takes out of any text what looks like a secret: one table of patterns, one mark.

What the program knows to be secret is taken out elsewhere. This is for what it cannot know: what others log and print.

secret_table.py   the table: all `*_rules.py`, and named_values.py for `NAME=value`
secret_words.py   what tells a secret from a word about one: "password hunter2", "password expired"
text_readings.py  the same text without control characters, out of JSON, URLs and base64
secret_stream.py  text that comes in pieces
"""

from __future__ import annotations

from switchover_checks.unknown_secrets.secret_search import MARK, redact_unknown, unknown_spans
from switchover_checks.unknown_secrets.secret_stream import UnknownSecrets

__all__ = ["MARK", "UnknownSecrets", "redact_unknown", "unknown_spans"]
