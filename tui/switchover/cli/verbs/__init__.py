"""The verbs of the command line, one module each. Nothing here draws on a screen."""
