-- one row: rows of a table inserted, updated, deleted per hour, between its first and last reading
with ends as (
    select oid, min(captured_at) as first_at, max(captured_at) as last_at
    from relation_statistics
    where target_id = %(target_id)s and dbid = %(dbid)s and kind = 'table'
      and captured_at > %(since)s - interval '1 hour' and captured_at <= %(until)s
    group by oid
    having max(captured_at) > min(captured_at)
)
select e.oid,
       greatest(0, (b.statistics ->> 'n_tup_ins')::float8 - (a.statistics ->> 'n_tup_ins')::float8) / h.hours,
       greatest(0, (b.statistics ->> 'n_tup_upd')::float8 - (a.statistics ->> 'n_tup_upd')::float8) / h.hours,
       greatest(0, (b.statistics ->> 'n_tup_del')::float8 - (a.statistics ->> 'n_tup_del')::float8) / h.hours
from ends e
cross join lateral (select extract(epoch from e.last_at - e.first_at)::float8 / 3600 as hours) h
join relation_statistics a on (a.target_id, a.dbid, a.oid, a.captured_at)
    = (%(target_id)s, %(dbid)s, e.oid, e.first_at)
join relation_statistics b on (b.target_id, b.dbid, b.oid, b.captured_at)
    = (%(target_id)s, %(dbid)s, e.oid, e.last_at)
