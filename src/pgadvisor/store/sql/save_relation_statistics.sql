-- one row: the counters of a table or index, where they differ from the last ones
insert into relation_statistics (target_id, dbid, oid, captured_at, kind, statistics)
select %(target_id)s, %(dbid)s, s.oid, %(now)s, s.kind, s.statistics
from unnest(%(oids)s::bigint[], %(kinds)s::text[], %(statistics)s::jsonb[])
    as s (oid, kind, statistics)
left join lateral (
    select r.statistics from relation_statistics r
    where r.target_id = %(target_id)s and r.dbid = %(dbid)s and r.oid = s.oid
    order by r.captured_at desc limit 1) last on true
where last.statistics is distinct from s.statistics
on conflict do nothing
