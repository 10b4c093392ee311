"""Units that run on another machine: begun there once, followed from here, cleared away when they have ended."""
