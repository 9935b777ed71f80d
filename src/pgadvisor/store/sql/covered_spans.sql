-- one row: a span of a database that is in the history already, and the import it came by ('': live)
select source, lower(span), upper(span)
from (
    select source, range_agg(tstzrange(since, until)) as spans
    from (
        select source, since, until
        from imported_spans
        where target_id = %(target_id)s and dbid = any(%(dbids)s)
        union all
        select '', since, captured_at
        from snapshots
        where target_id = %(target_id)s and since is not null
        union all
        -- hours whose snapshots are deleted; over 3600 seconds reach back into the hours before
        select '', hour + interval '1 hour' - make_interval(secs => greatest(covered_seconds, 3600)),
               hour + interval '1 hour'
        from target_hours
        where target_id = %(target_id)s
          and hour + interval '1 hour' <= coalesce(
              (select min(since) from snapshots where target_id = %(target_id)s), 'infinity')
    ) s
    where until > %(since)s and since < %(until)s
    group by source
) merged
cross join unnest(spans) as span
