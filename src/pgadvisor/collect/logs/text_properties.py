"""The lines below a plan node in EXPLAIN's text format, as its JSON format has them.

Source: the show_* functions of explain.c, PostgreSQL 13 to 18.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["read_property", "settings_of", "split_list"]

Properties = dict[str, Any]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
#: "Buckets: 1024 (originally 512)" and "Memory Usage: 9kB", several on a line
_PARTS = re.compile(r"([A-Z][\w ]*?): (\d+)(?: \(originally (\d+)\))?(?:kB)?(?:  |\Z)")
_AMOUNT = re.compile(r"(\w+)=(-?\d+(?:\.\d+)?)")
_ITEM = re.compile(r"""(?:[^'"(),\[\]]++|'(?:[^']|'')*+'|"(?:[^"]|"")*+"|[(),\[\]'"])""")

_LISTS = frozenset({"Output", "Sort Key", "Presorted Key", "Params Evaluated"})
_BOOLEANS = frozenset({"Inner Unique", "Single Copy", "Disabled"})
_NUMBERS = frozenset(
    {
        "Conflicting Tuples",
        "Heap Fetches",
        "Index Searches",
        "Rows Removed by Conflict Filter",
        "Rows Removed by Filter",
        "Rows Removed by Index Recheck",
        "Rows Removed by Join Filter",
        "Subplans Removed",
        "Tuples Inserted",
        "Workers Launched",
        "Workers Planned",
    }
)


def read_property(into: Properties, line: str) -> None:
    """Add what a line says to a node, or to one of its workers; a line of no kind adds nothing."""
    if line.startswith("actual "):
        _actual(into, line)
        return
    key, colon, value = line.partition(": ")
    if not colon:
        return
    if key in _NUMBERS:
        if _NUMBER.fullmatch(value):
            into[key] = number(value)
    elif key in _BOOLEANS:
        into[key] = value == "true"
    elif key in _LISTS and "Grouping Sets" not in into:
        into[key] = split_list(value)
    elif reader := _READERS.get(key):
        reader(into, line, value)
    else:
        into[key] = value


def number(text: str) -> int | float:
    """A number as JSON has it."""
    return float(text) if "." in text else int(text)


def split_list(text: str) -> list[str]:
    """The items of a list of expressions.

    >>> split_list("a, f(b, c), 'x, y', \\"d, e\\"")
    ['a', 'f(b, c)', "'x, y'", '"d, e"']
    """
    items: list[str] = [""]
    depth = 0
    for token in _ITEM.findall(text):
        depth += (token in "([") - (token in ")]")
        if token == "," and depth == 0:
            items.append("")
        else:
            items[-1] += token
    return [item.strip(" ") for item in items]


def _sort_method(into: Properties, line: str, value: str) -> None:
    found = re.fullmatch(r"(.*?)  (Memory|Disk): (\d+)kB", value)
    if found is not None:
        into["Sort Method"] = found[1]
        into["Sort Space Type"], into["Sort Space Used"] = found[2], int(found[3])


_GROUPS = re.compile(r"(\d+)  Sort Methods?: (.*?)((?:  (?:Average|Peak) (?:Memory|Disk): \d+kB)*)")
_SPACE = re.compile(r"Average (Memory|Disk): (\d+)kB  Peak (?:Memory|Disk): (\d+)kB")


def _sort_groups(into: Properties, line: str, value: str) -> None:
    """Of an Incremental Sort: show_incremental_sort_group_info."""
    # "Pre-sorted Groups" may stand on the same line (13 to 18 put them on lines of their own)
    found = _GROUPS.fullmatch(value)
    if found is None:
        return
    group: Properties = {"Group Count": int(found[1]), "Sort Methods Used": found[2].split(", ")}
    for kind, average, peak in _SPACE.findall(found[3]):
        group[f"Sort Space {kind}"] = {
            "Average Sort Space Used": int(average),
            "Peak Sort Space Used": int(peak),
        }
    into[line.partition(":")[0]] = group


_HASH = {
    "Buckets": "Hash Buckets",
    "Batches": "Hash Batches",
    "Memory Usage": "Peak Memory Usage",
}
_HASH_AGGREGATE = {"Batches": "HashAgg Batches", "Memory Usage": "Peak Memory Usage"}
_MEMOIZE = {
    "Hits": "Cache Hits",
    "Misses": "Cache Misses",
    "Evictions": "Cache Evictions",
    "Overflows": "Cache Overflows",
    "Memory Usage": "Peak Memory Usage",
}


def _parts(names: Mapping[str, str]) -> Callable[[Properties, str, str], None]:
    def read(into: Properties, line: str, value: str) -> None:
        for part, amount, original in _PARTS.findall(line):
            name = names.get(part, part)
            into[name] = int(amount)
            if name.startswith("Hash B"):
                into[f"Original {name}"] = int(original or amount)

    return read


def _heap_blocks(into: Properties, line: str, value: str) -> None:
    for kind, amount in _AMOUNT.findall(value):
        into[f"{kind.title()} Heap Blocks"] = int(amount)


def _buffers(into: Properties, line: str, value: str) -> None:
    """shared hit=1 read=2, temp read=3 written=4."""
    for part in value.split(", "):
        kind, _, amounts = part.partition(" ")
        for what, amount in _AMOUNT.findall(amounts):
            into[f"{kind.title()} {what.title()} Blocks"] = int(float(amount))


def _io_timings(into: Properties, line: str, value: str) -> None:
    """read=0.1 before 15, shared/local read=0.1 before 17, then shared read=0.1, local read=..."""
    kind = "Shared"
    for part in value.split(", "):
        first = part.partition(" ")[0]
        if "=" not in first:
            kind = first.partition("/")[0].title()
        for what, amount in _AMOUNT.findall(part):
            into[f"{kind} I/O {what.title()} Time"] = float(amount)


def _wal(into: Properties, line: str, value: str) -> None:
    """records=1 fpi=2 bytes=3, and buffers full=4 since 18."""
    names = {"records": "Records", "fpi": "FPI", "bytes": "Bytes", "full": "Buffers Full"}
    for what, amount in _AMOUNT.findall(value):
        into[f"WAL {names.get(what, what.title())}"] = number(amount)


def _tuples(into: Properties, line: str, value: str) -> None:
    """Of MERGE: inserted=1 updated=2 deleted=3 skipped=4."""
    for what, amount in _AMOUNT.findall(value):
        into[f"Tuples {what.title()}"] = int(float(amount))


def _actual(into: Properties, line: str) -> None:
    """What a worker did."""
    found = dict(_AMOUNT.findall(line))
    times = re.search(r"time=(\d+\.\d+)\.\.(\d+\.\d+)", line)
    if times is not None:
        into["Actual Startup Time"], into["Actual Total Time"] = float(times[1]), float(times[2])
    if "rows" in found and "loops" in found:
        into["Actual Rows"], into["Actual Loops"] = float(found["rows"]), int(found["loops"])


def _group_key(into: Properties, line: str, value: str) -> None:
    """One line is the key; several, or one that is hashed, are grouping sets."""
    keys = [] if value == "()" else split_list(value)
    is_hash = line.startswith("Hash Key")
    if not is_hash and "Group Key" not in into and "Grouping Sets" not in into:
        into["Group Key"] = keys
        return
    sets = into.setdefault("Grouping Sets", [])
    if "Group Key" in into:
        sets.append({"Group Keys": [into.pop("Group Key")]})
    sets.append({"Hash Keys" if is_hash else "Group Keys": [keys]})


def _sampling(into: Properties, line: str, value: str) -> None:
    into["Sampling Method"], _, rest = value.partition(" ")
    into["Sampling Parameters"] = split_list(rest.partition(") REPEATABLE")[0].strip("()"))


_READERS: Mapping[str, Callable[[Properties, str, str], None]] = {
    "Sort Method": _sort_method,
    "Full-sort Groups": _sort_groups,
    "Pre-sorted Groups": _sort_groups,
    "Buckets": _parts(_HASH),
    "Batches": _parts(_HASH_AGGREGATE),
    "Planned Partitions": _parts(_HASH_AGGREGATE),
    "Hits": _parts(_MEMOIZE),
    "Heap Blocks": _heap_blocks,
    "Buffers": _buffers,
    "I/O Timings": _io_timings,
    "WAL": _wal,
    "Tuples": _tuples,
    "Group Key": _group_key,
    "Hash Key": _group_key,
    "Sampling": _sampling,
}

_SETTING = re.compile(r"([\w.]+) = '((?:[^']|'')*)'(?:, |\Z)")


def settings_of(value: str) -> dict[str, str]:
    """Settings that are not the default.

    >>> settings_of("work_mem = '64kB', search_path = 'a, b'")
    {'work_mem': '64kB', 'search_path': 'a, b'}
    """
    return {name: text.replace("''", "'") for name, text in _SETTING.findall(value)}
