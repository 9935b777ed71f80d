"""Which column of a file is which counter: names, their aliases, and units in names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pgadvisor.errors import ConfigInvalid
from pgadvisor.records.statement import COUNTER_NAMES, Counters

__all__ = ["ALIASES", "Column", "Layout", "layout_of"]

#: Fields and the names they are known by elsewhere; a field's own name always counts and comes
#: first. Of several columns for one field the first in this order is taken.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "captured_at": (
        *("timestamp", "time", "ts", "hour", "ds", "datetime", "date_time", "collected_at"),
        *("collect_time", "collection_time", "snapshot_at", "snapshot_time", "snapshot_ts"),
        *("snap_time", "snap_ts", "sample_time", "sampled_at", "recorded_at", "logged_at"),
        *("log_time", "logtime", "event_time", "created_at", "inserted_at", "at", "bucket"),
        *(
            "time_bucket",
            "minute",
            "period",
            "hour_of_day",
            "date",
            "day",
            "epoch",
            "epoch_s",
            "epoch_ms",
        ),
        *("epoch_us", "epoch_ns", "unix_time", "unix_timestamp"),
    ),
    "since": (
        *("period_start", "interval_start", "bucket_start", "window_start", "start_time"),
        *("hour_start", "start", "begin", "start_at", "started_at", "from", "from_time"),
    ),
    "until": (
        *("period_end", "interval_end", "bucket_end", "window_end", "end_time", "hour_end"),
        *("end", "end_at", "to", "to_time"),
    ),
    "database": ("datname", "database_name", "db", "dbname", "db_name", "real_dbname"),
    "dbid": ("datid", "database_id", "database_oid", "db_id"),
    "query": (
        *("query_text", "sql", "sql_text", "statement", "statement_text", "normalized_query"),
        *("query_template", "template", "text", "querytext", "tag_query"),
    ),
    "queryid": (
        *("query_id", "tag_queryid", "pgss_queryid", "query_hash", "queryhash", "statement_id"),
        *("sql_id", "query_identifier"),
    ),
    "user": ("rolname", "username", "usename", "user_name", "role", "role_name", "users"),
    "userid": ("user_id", "usesysid", "roleid", "role_id", "user_oid"),
    "toplevel": ("top_level", "is_toplevel"),
    "series": ("unique_id", "series_id", "series_name", "metric", "metric_name", "item_id"),
    "value": ("y", "val", "measurement"),
    "calls": (
        *("call_count", "n_calls", "num_calls", "executions", "execution_count", "exec_count"),
        *("query_count", "num_queries", "n_executions", "requests", "count", "num_executions"),
        *("invocations", "frequency"),
    ),
    "rows": ("row_count", "n_rows", "num_rows", "rows_returned", "rows_processed", "total_rows"),
    "total_exec_time": (
        *("total_time", "total_execution_time", "total_elapsed_time", "total_duration"),
        *("total_runtime", "sum_exec_time", "exec_time_total", "execution_time_total"),
        *("seconds", "runtime", "total_latency", "sum_duration"),
    ),
    "mean_exec_time": (
        *("mean_time", "avg_exec_time", "avg_time", "average_time", "average_exec_time"),
        *("avg_execution_time", "mean_execution_time", "avg_duration", "mean_duration"),
        *("avg_latency", "mean_latency", "latency_avg", "avg_elapsed_time", "avg", "mean"),
    ),
    "stddev_exec_time": ("stddev_time", "stddev", "std_exec_time", "stddev_execution_time"),
    "min_exec_time": ("min_time",),
    "max_exec_time": ("max_time",),
    "stats_since": (),
    "duration": (
        *("exec_time", "execution_time", "elapsed", "elapsed_time", "latency", "response_time"),
        *("query_time", "run_time"),
    ),
    "shared_blk_read_time": ("blk_read_time",),
    "shared_blk_write_time": ("blk_write_time",),
    "total_plan_time": ("plan_time", "plantime"),
}

_TIMES = frozenset(
    {name for name, kind in Counters.__annotations__.items() if kind in (float, "float")}
    - {"sum_squared_exec_time"}
    | {"mean_exec_time", "stddev_exec_time", "min_exec_time", "max_exec_time", "duration"}
)
#: to milliseconds
_UNITS = {
    **dict.fromkeys(("ns", "nanos", "nanoseconds"), 1e-6),
    **dict.fromkeys(("us", "usec", "micros", "microseconds"), 1e-3),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), 1.0),
    **dict.fromkeys(("s", "sec", "secs", "seconds"), 1e3),
    **dict.fromkeys(("min", "mins", "minutes"), 6e4),
}
#: names that say on which side of its rows a time stands
_STARTS = frozenset(
    {"hour", "ds", "date", "day", "minute", "bucket", "time_bucket", "period"}
    | {"since", *ALIASES["since"]}
)
_ENDS = frozenset({"until", *ALIASES["until"]})
_DELTA = re.compile(r"^(delta|diff|increase|sum)_|_(delta|diff|increase)$")
_CUMULATIVE = re.compile(r"^(cumulative|cum)_|_total$")
#: fields that are neither identity nor time
VALUES = frozenset(
    {*COUNTER_NAMES, "mean_exec_time", "stddev_exec_time", "min_exec_time", "max_exec_time"}
    | {"duration", "value", "stats_since"}
)
#: name -> field, and how near the name is to the field's own
_FIELDS = {name: (name, 0) for name in (*ALIASES, *COUNTER_NAMES)}
for _name, _aliases in ALIASES.items():
    for _rank, _alias in enumerate(_aliases, 1):
        _FIELDS.setdefault(_alias, (_name, _rank))
#: a name of several words may be written as one, and one word as several: DatName, totaltime
_JOINED = {name.replace("_", ""): name for name in reversed(_FIELDS)}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file and what it is."""

    index: int
    name: str
    field: str
    #: to the unit of the field
    scale: float = 1.0
    #: "start" or "end" where the name says which side of its rows a time is
    side: str | None = None
    #: "deltas" or "cumulative" where the name says it
    counting: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file by field, and those that are not taken."""

    columns: Mapping[str, Column]
    ignored: tuple[str, ...] = ()
    #: one series a column, by name; empty for a file of statements
    series: Mapping[str, Column] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    @property
    def counters(self) -> tuple[str, ...]:
        """The fields of counters that are there."""
        return tuple(name for name in COUNTER_NAMES if name in self.columns)


def layout_of(names: Sequence[str], mapping: Mapping[str, str] | None = None) -> Layout:
    """What each column is, by its name or as `mapping` (ours to theirs) says.

    Raises `ConfigInvalid` where `mapping` names a field or a column that does not exist.

    >>> layout = layout_of(["ts", "datname", "QueryText", "total_time_s", "Calls", "note"])
    >>> [(c.field, c.scale) for c in layout.columns.values()]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('captured_at', 1.0), ('database', 1.0), ('query', 1.0), ('total_exec_time', 1000.0),
     ('calls', 1.0)]
    >>> layout.ignored
    ('note',)
    """
    given = _given(names, mapping or {})
    found: dict[str, tuple[int, Column]] = {}
    for index, name in enumerate(names):
        if any(column.index == index for column in given.values()):
            continue
        known = _known(index, name)
        if known is None or known[1].field in given:
            continue
        rank, column = known
        if column.field not in found or rank < found[column.field][0]:
            found[column.field] = (rank, column)
    columns = given | {name: column for name, (_, column) in found.items()}
    _add_date(names, columns)
    used = {column.index for column in columns.values()}
    ignored = tuple(name for index, name in enumerate(names) if index not in used)
    return Layout(columns=columns, ignored=ignored)


def _add_date(names: Sequence[str], columns: dict[str, Column]) -> None:
    """The date beside a column "hour" that may be an hour of the day."""
    hour = columns.get("captured_at")
    if hour is None or _plain(hour.name) not in ("hour", "hour_of_day"):
        return
    for index, name in enumerate(names):
        if _plain(name) in ("date", "day", "ds"):
            columns["date"] = Column(index, name, "date")
            return


def _given(names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, Column]:
    columns = {}
    for ours, theirs in mapping.items():
        target, scale = _unit(ours)
        if target not in ALIASES and target not in COUNTER_NAMES:
            raise ConfigInvalid(
                f"there is no field {ours!r} to map a column to",
                hint="Fields are captured_at, since, until, database, query, queryid, user, "
                "calls, rows, total_exec_time and the other columns of pg_stat_statements; "
                "docs/import.md lists them.",
            )
        if theirs not in names:
            raise ConfigInvalid(
                f"the file has no column {theirs!r}", hint=f"It has: {', '.join(names)}."
            )
        index = list(names).index(theirs)
        columns[target] = Column(index, theirs, target, scale, _side(target), None)
    return columns


def _known(index: int, name: str) -> tuple[int, Column] | None:
    """The field a name means and how near the name is to it, None for an unknown one."""
    plain = _plain(name)
    for counting, text in _readings(plain):
        target, scale = _unit(text)
        if target in _FIELDS:
            fld, rank = _FIELDS[target]
            if scale != 1.0 and fld not in _TIMES:
                continue
            side = _side(target)
            return rank, Column(index, name, fld, scale * _own_unit(target), side, counting)
    return None


def _readings(plain: str) -> list[tuple[str | None, str]]:
    found: list[tuple[str | None, str]] = [(None, plain)]
    bare = plain.removeprefix("pg_stat_statements_").removeprefix("pgss_")
    if bare != plain:
        found.append((None, bare))
    for counting, pattern in (("deltas", _DELTA), ("cumulative", _CUMULATIVE)):
        stripped = pattern.sub("", bare)
        if stripped != bare and stripped:
            found.append((counting, stripped))
    return found


def _plain(name: str) -> str:
    """A name in snake case.

    >>> _plain("totalExecTime (ms)"), _plain("QueryID"), _plain("Total Time")
    ('total_exec_time_ms', 'query_id', 'total_time')
    """
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.strip().lstrip("\ufeff"))
    return re.sub(r"[^0-9a-zA-Z]+", "_", text).strip("_").lower()


def _unit(name: str) -> tuple[str, float]:
    """A known name without its unit, and the factor to milliseconds."""
    if name in _FIELDS:
        return name, 1.0
    bare, _, suffix = name.rpartition("_")
    known = bare if bare in _FIELDS else _JOINED.get(bare.replace("_", ""), "")
    if suffix in _UNITS and known and _FIELDS[known][0] in _TIMES:
        return known, _UNITS[suffix]
    return _JOINED.get(name.replace("_", ""), name), 1.0


def _own_unit(target: str) -> float:
    return _UNITS["s"] if target == "seconds" else 1.0  # pg_stat_statements_seconds_total


def _side(name: str) -> str | None:
    return "start" if name in _STARTS else "end" if name in _ENDS else None
