"""A playground that answers while a test runs, and whose end is waited for with a bound."""

from __future__ import annotations

import contextlib
import threading

# Far longer than anything takes, even on a machine with much else to do.
LONGEST_WAIT_SECONDS = 60


@contextlib.contextmanager
def served(playground):
    """The playground, answering in a thread; fails where it does not come to an end."""
    serving = threading.Thread(target=playground.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    try:
        yield playground
    finally:
        end(playground)
        serving.join(LONGEST_WAIT_SECONDS)
        assert not serving.is_alive(), f"the server did not end in {LONGEST_WAIT_SECONDS} seconds"


def end(playground):
    """End it as Ctrl-C does."""
    ending = threading.Thread(target=playground.shutdown, daemon=True)
    ending.start()
    ending.join(LONGEST_WAIT_SECONDS)
    assert not ending.is_alive(), f"the server was not shut down in {LONGEST_WAIT_SECONDS} seconds"
    playground.close()
