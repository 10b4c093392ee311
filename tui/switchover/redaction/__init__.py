"""Keeping secrets out of what is written, and control sequences out of what is shown.

known.py    secrets that the plan names: taken out of streams and texts, whatever stands between their letters
controls.py what steers a terminal or is not seen: taken out before anything is shown

Standard library only, and nothing of the rest of this project: the step launcher loads this package on its own.
"""

from __future__ import annotations

from switchover.redaction.controls import sanitize
from switchover.redaction.forms import SHORTEST, secret_forms
from switchover.redaction.known import Redactor

__all__ = ["SHORTEST", "Redactor", "sanitize", "secret_forms"]
