"""The command line: the parser, the verbs, and what they write."""

from switchover.cli.parser import main

__all__ = ["main"]
