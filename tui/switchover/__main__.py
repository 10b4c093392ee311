"""`python -m switchover`."""

import sys

from switchover.cli.parser import main

if __name__ == "__main__":
    sys.exit(main())
