"""Reads files of other programs into a plan: one file a format, which declares itself. Nothing of them is executed.

Every key of a file is carried, or listed as not carried, with its place: nothing is lost in silence.
"""

from __future__ import annotations

from switchover.importing.imported import Imported, import_files, import_formats

__all__ = ["Imported", "import_files", "import_formats"]
