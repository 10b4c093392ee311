"""Rows written as the same text inside different databases, so that they are compared as bytes.

A column's text is chosen by what PostgreSQL or MySQL say of its type. `~` is NULL. Text comes with its length, so
that no content looks like the end of a column. What cannot be written for certain becomes `?`, which is equal to
nothing. Such a row is read again by values. Floats are written to 14 digits.
"""
