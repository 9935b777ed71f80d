-- one row: a query that is known, whether or not it ran in the window, of the texts of counters or of
-- the log; counters are zero, and so is a queryid that no server gave
select k.target_id::text as place, k.target_id, k.target, array[k.target_id] as target_ids,
       array[k.target] as targets, k.database_name, k.query_hash,
       coalesce(k.queryids[1], 0) as queryid, k.queryids, k.fingerprint, k.query, k.kind, k.tables,
       k.unreadable, 0 as calls, 0.0::float8 as total_exec_time, 0.0::float8 as mean_exec_time,
       0 as rows, 0 as shared_blks_hit, 0 as shared_blks_read, 0 as temp_blks_written,
       0.0::float8 as share_ratio
from (
    select q.target_id, q.target, q.database_name, q.query_hash, q.queryids, q.fingerprint, q.query,
           q.kind, q.tables, q.unreadable, q.first_seen_at, false as is_of_log
    from pgadvisor.queries q
    union all
    select l.target_id, t.name, l.datname, l.fingerprint, array_remove(array[l.queryid], null),
           l.fingerprint, l.query, l.kind, null, null, l.first_seen_at, true
    from logged_statements l
    join targets t on t.id = l.target_id
    union all
    select p.target_id, t.name, p.datname, p.fingerprint, array_remove(array[p.queryid], null),
           p.fingerprint, p.example_query, null, null, null, p.first_seen_at, true
    from plans p
    join targets t on t.id = p.target_id
    where p.fingerprint is not null
) k
where (%(target)s::text is null or k.target = %(target)s)
  and (%(database)s::text is null or k.database_name = %(database)s)
  and (%(queryid)s::bigint is null or %(queryid)s = any (k.queryids))
  and (%(fingerprint)s::text is null or k.fingerprint = %(fingerprint)s)
order by k.is_of_log, k.first_seen_at desc
limit 1
