"""Which part of a network stands in which rank, and in which order: few links cross.

After Sugiyama, Tagawa and Toda (1981): links that lead back are turned round,
each part stands below all that lead to it, long links get a stand-in in every
rank they pass, and ranks are sorted by where their neighbours stand.
"""

from __future__ import annotations

import bisect
import collections
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Ranked", "ranked"]

_MOST_SWEEPS = 12
Link = tuple[int, int]


class Ranked(NamedTuple):
    """Where everything stands.

    Items below the number of parts are the parts; those above stand in for
    links. `paths` holds for each link the items it goes through, downwards, and
    whether the link itself leads upwards.
    """

    ranks: list[list[int]]
    paths: list[tuple[list[int], bool]]


def ranked(count: int, links: Sequence[Link]) -> Ranked:
    """The ranks of so many parts, for links between their numbers.

    >>> ranked(3, [(0, 1), (1, 2), (0, 2)]).ranks
    [[0], [1, 3], [2]]
    """
    links = [(a, b) for a, b in dict.fromkeys(links) if a != b]
    backward = _leading_back(count, links)
    downward = [(b, a) if (a, b) in backward else (a, b) for a, b in links]
    places = _places(count, downward)
    ranks: list[list[int]] = [[] for _ in range(max(places, default=-1) + 1)]
    for item, place in enumerate(places):
        ranks[place].append(item)
    paths, number = [], count
    for (a, b), link in zip(downward, links, strict=True):
        stand_ins = list(range(number, number + places[b] - places[a] - 1))
        number += len(stand_ins)
        for place, item in enumerate(stand_ins, places[a] + 1):
            ranks[place].append(item)
        paths.append(([a, *stand_ins, b], link in backward))
    return Ranked(_untangled(ranks, [path for path, _ in paths]), paths)


def _leading_back(count: int, links: Sequence[Link]) -> set[Link]:
    """The links without which there is no circle: those that lead to where one came from."""
    after: dict[int, list[int]] = collections.defaultdict(list)
    for a, b in links:
        after[a].append(b)
    reached = {b for _, b in links}
    state, found = [0] * count, set[Link]()
    # First from where everything begins, then from circles that nothing leads into.
    for start in sorted(range(count), key=lambda item: item in reached):
        if state[start]:
            continue
        state[start] = 1
        # A stack of one's own: networks may be deeper than Python's.
        path: list[tuple[int, Iterator[int]]] = [(start, iter(after[start]))]
        while path:
            item, following = path[-1]
            other = next(following, None)
            if other is None:
                state[item] = 2
                path.pop()
            elif state[other] == 1:
                found.add((item, other))
            elif not state[other]:
                state[other] = 1
                path.append((other, iter(after[other])))
    return found


def _places(count: int, links: Sequence[Link]) -> list[int]:
    """The rank of each part: below all that lead to it, or right above its first use."""
    after: dict[int, list[int]] = collections.defaultdict(list)
    waits = [0] * count
    for a, b in links:
        after[a].append(b)
        waits[b] += 1
    is_start = [not number for number in waits]
    places, ready = [0] * count, [item for item in range(count) if is_start[item]]
    while ready:
        item = ready.pop()
        for other in after[item]:
            places[other] = max(places[other], places[item] + 1)
            waits[other] -= 1
            if not waits[other]:
                ready.append(other)
    for item in range(count):
        if is_start[item] and after[item]:
            places[item] = min(places[other] for other in after[item]) - 1
    return places


def _untangled(ranks: list[list[int]], paths: Sequence[list[int]]) -> list[list[int]]:
    """The ranks in an order in which few links cross."""
    above: dict[int, list[int]] = collections.defaultdict(list)
    below: dict[int, list[int]] = collections.defaultdict(list)
    for path in paths:
        for a, b in itertools.pairwise(path):
            below[a].append(b)
            above[b].append(a)
    best, fewest = ranks, _crossings(ranks, below)
    for sweep in range(_MOST_SWEEPS):
        if not fewest:
            break
        is_down = sweep % 2 == 0
        ranks = _swept(ranks, above if is_down else below, is_down=is_down)
        number = _crossings(ranks, below)
        if number < fewest:
            best, fewest = ranks, number
    return best


def _swept(ranks: list[list[int]], neighbours: dict[int, list[int]], *, is_down: bool) -> list[list[int]]:
    """Each rank, one after the other, sorted by where its neighbours in the one before stand on average."""
    done: list[list[int]] = []
    at: dict[int, int] = {}
    for rank in ranks if is_down else reversed(ranks):
        own = {item: place for place, item in enumerate(rank)}
        wanted = {
            item: sum(at[other] for other in neighbours[item]) / len(neighbours[item])
            if neighbours[item]
            else own[item]
            for item in rank
        }
        done.append(sorted(rank, key=lambda item: (wanted[item], own[item])))
        at = {item: place for place, item in enumerate(done[-1])}
    return done if is_down else done[::-1]


def _crossings(ranks: list[list[int]], below: dict[int, list[int]]) -> int:
    """How many pairs of links cross."""
    found = 0
    for upper, lower in itertools.pairwise(ranks):
        at = {item: place for place, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = sorted(at[other] for other in below[item])
            found += sum(len(seen) - bisect.bisect_right(seen, end) for end in ends)
            for end in ends:
                bisect.insort(seen, end)
    return found
