"""The built-in check kinds, one file each."""
