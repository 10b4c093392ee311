"""What a person can ask for: a frozen struct each, sent alike by key, palette, command line and wire."""
