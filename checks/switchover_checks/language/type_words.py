"""Words for what a value should have been: from the codes of the validating library, whose own names nobody sees."""

from __future__ import annotations

__all__ = ["EXPECTED", "found_words"]

EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "finite_number": "a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dataclass_type": "a mapping of keys to values",
}


def found_words(value: object, *, secret: bool = False) -> str:
    """Say what was found; of a `secret` only what kind of thing it is."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    word = "the text" if isinstance(value, str) else "the number"
    if secret:
        return word
    shown = repr(value)
    return f"{word} {shown if len(shown) <= 50 else shown[:47] + '…'}"
