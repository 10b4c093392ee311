"""From what is wrong to its cause: entries that ship with the program, incidents, the bundle for a colleague."""
