"""The engine: carries a plan through, one journalled fact at a time, and finds the truth again after any crash."""
