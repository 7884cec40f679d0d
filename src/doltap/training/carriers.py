"""How the members of a population are trained: one after the other, or in threads.

Whichever carries them, a member's result is that of training it alone.
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["CARRIERS", "in_threads", "num_cores", "one_by_one"]

CARRIERS = ("auto", "loop", "threads", "vmap")

Job = Callable[[], Any]


def one_by_one(jobs: Sequence[Job], told: Callable[[Any], None]) -> None:
    """Do the jobs one after the other.

    Args:
        told: is called with the result of each.
    """
    for job in jobs:
        told(job())


def in_threads(jobs: Sequence[Job], told: Callable[[Any], None], stop: Callable[[], None]) -> None:
    """Do the jobs, as many of which at once as there are cores.

    A program that runs leaves Python to the other threads.

    Args:
        told: is called with the result of each, in the order in which they end.
        stop: makes every job end soon; called when one fails, or the user interrupts.
    """
    workers = max(1, min(len(jobs), num_cores()))
    with concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix="member") as threads:
        futures = [threads.submit(job) for job in jobs]
        try:
            for future in concurrent.futures.as_completed(futures):
                told(future.result())
        except BaseException:
            for future in futures:
                future.cancel()
            stop()
            raise


def num_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
