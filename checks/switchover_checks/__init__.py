"""The public check API and the built-in check kinds.

A check kind is one class: see `switchover_checks.api`. This package imports neither `switchover` nor a terminal
library.
"""
