-- one row: a database of a watched server whose catalog is due to be read
-- A time of trying that lies ahead is of a clock that was set back: it counts as due.
select d.target_id, d.dbid, d.datname, t.databases, t.excluded_databases
from databases d
join targets t on t.id = d.target_id
where t.kind = 'server' and t.paused_at is null and t.removed_at is null
    and (t.retry_at is null or t.retry_at <= now())
    and t.last_seen_at is not null
    and d.last_seen_at >= t.last_seen_at - interval '1 day'
    and (
        d.tried_at is null
        or d.tried_at > %(now)s::timestamptz
        or d.tried_at <= %(now)s::timestamptz - coalesce(
            make_interval(secs => t.catalog_interval_seconds), %(catalog_interval)s::interval
        )
    )
order by d.tried_at nulls first, d.target_id, d.dbid
