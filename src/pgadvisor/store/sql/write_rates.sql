-- one row: rows of a table inserted, updated, deleted per hour of the window, as far as it was read;
-- a reading is kept only where it differs from the one before, so an absent one means no change
with read as (
    select max(captured_at) as last_at from relation_statistics
    where target_id = %(target_id)s and dbid = %(dbid)s and captured_at <= %(until)s
), tables as (
    select distinct oid from relation_statistics
    where target_id = %(target_id)s and dbid = %(dbid)s and kind = 'table'
      and captured_at <= %(until)s
)
select t.oid,
       greatest(0, (b.statistics ->> 'n_tup_ins')::float8 - (a.statistics ->> 'n_tup_ins')::float8) / h.hours,
       greatest(0, (b.statistics ->> 'n_tup_upd')::float8 - (a.statistics ->> 'n_tup_upd')::float8) / h.hours,
       greatest(0, (b.statistics ->> 'n_tup_del')::float8 - (a.statistics ->> 'n_tup_del')::float8) / h.hours
from tables t
cross join read
cross join lateral (
    select r.captured_at, r.statistics from relation_statistics r
    where r.target_id = %(target_id)s and r.dbid = %(dbid)s and r.oid = t.oid
      and r.captured_at <= %(until)s
    order by r.captured_at desc limit 1) b
cross join lateral (
    -- as it was when the window began, else the first time it was read
    (select r.captured_at, r.statistics from relation_statistics r
     where r.target_id = %(target_id)s and r.dbid = %(dbid)s and r.oid = t.oid
       and r.captured_at <= %(since)s
     order by r.captured_at desc limit 1)
    union all
    (select r.captured_at, r.statistics from relation_statistics r
     where r.target_id = %(target_id)s and r.dbid = %(dbid)s and r.oid = t.oid
       and r.captured_at > %(since)s
     order by r.captured_at limit 1)
    limit 1) a
cross join lateral (
    select extract(epoch from read.last_at - greatest(a.captured_at, %(since)s))::float8 / 3600 as hours
) h
where h.hours > 0
