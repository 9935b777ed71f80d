"""Which time of a database the history has, and by which way: so that nothing comes in twice."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pgadvisor.records.imported import Span
from pgadvisor.store.connection import Connection
from pgadvisor.store.queries import load

__all__ = ["Coverage", "load_coverage", "save_spans"]


class Coverage:
    """Spans by the import they came by; '' is live collecting.

    >>> day = lambda number: datetime(2026, 1, number)
    >>> coverage = Coverage({"a": [Span(day(2), day(4))]})
    >>> coverage.has(Span(day(3), day(5)), "b"), coverage.has(Span(day(3), day(5)), "a")
    (True, False)
    >>> coverage.without([Span(day(1), day(5))]) == [Span(day(1), day(2)), Span(day(4), day(5))]
    True
    """

    def __init__(self, spans: Mapping[str, Sequence[Span]]) -> None:
        self._spans = {source: _merged(found) for source, found in spans.items()}
        self._known: dict[tuple[Span, str, bool], bool] = {}

    def has(self, span: Span, source: str, *, is_once: bool = False) -> bool:
        """Whether a row of that source over that span is in the history already.

        Of the same source a row came with the call that covered its end; anything else that
        covers a part of the span may have counted a part of it.
        """
        key = (span, source, is_once)
        if key not in self._known:
            self._known[key] = any(
                _has_end(found, span) and not is_once if one == source else _overlaps(found, span)
                for one, found in self._spans.items()
            )
        return self._known[key]

    def without(self, spans: Iterable[Span]) -> list[Span]:
        """The parts of these spans that nothing covers yet, in order and merged."""
        taken = sorted(span for found in self._spans.values() for span in found)
        free: list[Span] = []
        for since, until in _merged(spans):
            for other in taken:
                if other.until <= since or other.since >= until:
                    continue
                if other.since > since:
                    free.append(Span(since, other.since))
                since = other.until
            if since < until:
                free.append(Span(since, until))
        return free


def load_coverage(
    conn: Connection, target_id: int, dbids: Sequence[int], since: datetime, until: datetime
) -> Coverage:
    """What the history has of a database between two instants, under any of its dbids."""
    rows = conn.execute(
        load("covered_spans"),
        {"target_id": target_id, "dbids": list(dbids), "since": since, "until": until},
    )
    spans: dict[str, list[Span]] = {}
    for source, lower, upper in rows:
        spans.setdefault(source, []).append(Span(lower, upper))
    return Coverage(spans)


def save_spans(
    conn: Connection,
    target_id: int,
    dbid: int,
    spans: Sequence[Span],
    *,
    source: str,
    rows: int,
    now: datetime,
) -> None:
    """Note what is covered now; a span that goes on where one of this source ended lengthens it."""
    for number, span in enumerate(spans):
        counted = 0 if number else rows
        lengthened = conn.execute(
            """update imported_spans set until = %s, rows_read = rows_read + %s, imported_at = %s
               where target_id = %s and dbid = %s and source = %s and until = %s""",
            [span.until, counted, now, target_id, dbid, source, span.since],
        )
        if not lengthened.rowcount:
            conn.execute(
                """insert into imported_spans
                       (target_id, dbid, since, until, source, rows_read, imported_at)
                   values (%s, %s, %s, %s, %s, %s, %s)""",
                [target_id, dbid, *span, source, counted, now],
            )


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.since <= merged[-1].until:
            merged[-1] = Span(merged[-1].since, max(merged[-1].until, span.until))
        else:
            merged.append(span)
    return merged


def _overlaps(spans: Sequence[Span], span: Span) -> bool:
    index = bisect_left(spans, span.until, key=lambda one: one.since)
    return index > 0 and spans[index - 1].until > span.since


def _has_end(spans: Sequence[Span], span: Span) -> bool:
    """Whether one of the spans has the row's last moment: (since, until] has its end."""
    index = bisect_right(spans, span.until, key=lambda one: one.since) - 1
    while index >= 0 and spans[index].since == span.until:
        index -= 1
    return index >= 0 and spans[index].since < span.until <= spans[index].until
