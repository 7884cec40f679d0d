"""`python -m doltap` is the same as `doltap`.

Nothing but the call to `cli.main` lives here.
"""

import sys

from doltap.cli import main

if __name__ == "__main__":
    sys.exit(main())
