-- one row: an object as it is now, with its last counters
select o.kind, o.definition, last.statistics
from catalog_objects o
left join lateral (
    select r.statistics from relation_statistics r
    where o.kind in ('table', 'index') and r.target_id = o.target_id and r.dbid = o.dbid
      and r.oid = o.object::bigint
    order by r.captured_at desc limit 1) last on true
where o.target_id = %(target_id)s and o.dbid = %(dbid)s and o.until is null
