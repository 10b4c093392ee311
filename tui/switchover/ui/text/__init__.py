"""Styled lines and what they are made of: columns, numbers, charts, states. Pure."""
