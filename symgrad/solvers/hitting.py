"""The smallest set of elements that meets every one of given sets: iterative deepening, branching on the elements of a smallest set."""

from __future__ import annotations

from collections.abc import Iterable

BUDGET = 200_000
"""Sets looked at before the search settles for one that is only irredundant."""


def hitting_set(sets: Iterable[frozenset[int]]) -> tuple[tuple[int, ...], bool]:
    """Elements that meet every set, none of them dispensable, and whether no smaller choice exists.  No set may be empty."""
    least = _minimal(sets)
    left = [BUDGET]
    for size in range(len(frozenset().union(*least)) + 1):
        found = _of_size(least, size, left)
        if found is not None:
            return tuple(sorted(found)), True
        if left[0] <= 0:
            break
    chosen = _greedy(least)
    for element in sorted(chosen):
        if all(s & (chosen - {element}) for s in least):
            chosen -= {element}
    return tuple(sorted(chosen)), False


def _minimal(sets: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    """Those that hold no other: whatever meets them meets all."""
    found: list[frozenset[int]] = []
    for s in sorted(set(sets), key=lambda s: (len(s), sorted(s))):
        if not any(t <= s for t in found):
            found.append(s)
    return found


def _of_size(sets: list[frozenset[int]], size: int, left: list[int]) -> frozenset[int] | None:
    left[0] -= len(sets) + 1
    if not sets:
        return frozenset()
    if size == 0 or left[0] <= 0:
        return None
    for element in min((len(s), sorted(s)) for s in sets)[1]:
        rest = _of_size([s for s in sets if element not in s], size - 1, left)
        if rest is not None:
            return rest | {element}
    return None


def _greedy(sets: list[frozenset[int]]) -> frozenset[int]:
    chosen: set[int] = set()
    rest = sets
    while rest:
        counts: dict[int, int] = {}
        for s in rest:
            for element in s:
                counts[element] = counts.get(element, 0) + 1
        best = max(sorted(counts), key=counts.__getitem__)
        chosen.add(best)
        rest = [s for s in rest if best not in s]
    return frozenset(chosen)
