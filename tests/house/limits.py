"""The limits of the house. A number that is not reached yet is what it is today: it may fall, never grow."""

from __future__ import annotations

FOLDER_FILES = 20  # Python files in one folder
FILE_NAMES_TWICE = 15  # names that more than one file has
FUNCTION_LINES = 60
LONG_FUNCTIONS = {"tui": 0, "checks": 0, "tests": 2}  # functions longer than that; to reach: 0
FILE_LINES = 400
LONG_FILES = {"tui": 0, "checks": 0, "tests": 6}  # files longer than that; to reach: 0
SENTENCE_WORDS = 20
LONG_SENTENCES = {"tui": 0, "checks": 0}  # sentences of docstrings longer than that; to reach: 0
CALLBACKS = 71  # parameters of constructors that are called back; to reach: 40

# Names that Python and pytest prescribe.
PRESCRIBED = frozenset({"__init__.py", "__main__.py", "conftest.py"})

# Words that were our own, with the field's word for each. No class and no module is called so again.
WORDS = {
    "told": "service event",
    "seen": "observation",
    "keeper": "run store",
    "desk": "inspector, queries or service",
    "rounds": "polling cache",
    "eyes": "plan runtime",
    "sight": "probes",
    "hurry": "publish now",
    "pace": "throttle",
    "scrub": "redact",
    "neutralise": "sanitize",
    "ledger": "hold log",
    "capped": "bounded",
    "absence": "outage",
    "knock": "second confirmer",
    "troubled": "known issue",
    "standing": "effective status",
}
