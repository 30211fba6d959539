"""What a run must not leave behind: changes of a module's tables, and of its names."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping
from typing import Any

from pytest_moa.search.origins import is_defined_in

_TABLES = (list, dict, set, deque, OrderedDict, defaultdict)
#: Larger tables are not compared after each run.
LARGEST = 5_000


class Tables:
    """The lists, dicts and sets that a module or its classes hold, as they are now."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        found: dict[int, Any] = {}
        for name, value in list(names.items()):
            if name.startswith("__"):
                continue
            held = isinstance(value, type) and is_defined_in(value, names)
            inside = list(vars(value).values()) if held else []
            for one in (value, *inside):
                if type(one) in _TABLES and len(one) <= LARGEST:
                    found[id(one)] = one
        self._kept = [(one, one.copy()) for one in found.values()]

    def restore(self) -> bool:
        """Undo what was added, removed or replaced in them.

        True if other tests would have noticed: anything but new entries of a dict or set, as caches have.
        """
        noticed = False
        for table, kept in self._kept:
            if len(table) != len(kept) or table != kept:
                grown = isinstance(table, (dict, set)) and all(one in table for one in kept)
                noticed |= not grown or (
                    isinstance(table, dict) and any(table[one] != kept[one] for one in kept)
                )
                table.clear()
                if isinstance(table, (list, deque)):
                    table.extend(kept)
                else:
                    table.update(kept)
        return noticed


def restore_names(held: dict[str, Any], kept: Mapping[str, Any]) -> bool:
    """Give a namespace the names and objects back that it had. True if there was something to do."""
    noticed = False
    for name in held.keys() - kept.keys():
        del held[name]
        noticed = True
    for name, value in kept.items():
        if held.get(name) is not value:
            held[name] = value
            noticed = True
    return noticed
