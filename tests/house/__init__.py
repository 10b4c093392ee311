"""How the house is kept: `python -m tests.house`, part of `make check`. Names, folders, functions, words."""
