"""The terminal control centre that carries a migration through and is on call for what comes after."""

__version__ = "0.2.0"
