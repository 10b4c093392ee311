"""The built-in check kinds: one file each, or a folder with helpers. A class with `kind` declares one."""
