"""Is a backup what its name says, from its first byte to its last? A cut-off one has a fine beginning."""

from switchover_checks.data.archives.folders import FolderFacts, check_folder, facts_of
from switchover_checks.data.archives.formats import FORMATS, check_format, format_of

__all__ = ["FORMATS", "FolderFacts", "check_folder", "check_format", "facts_of", "format_of"]
