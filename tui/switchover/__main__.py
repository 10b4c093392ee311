"""`python -m switchover`."""

import sys

from switchover.cli import main

if __name__ == "__main__":
    sys.exit(main())
