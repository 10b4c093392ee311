"""Pure functions from a Snapshot to lines of styled text; nothing here knows a screen or a widget."""
