-- one row: a query that is known, whether or not it ran in the window; counters are zero
select q.target_id::text as place, q.target_id, q.target, array[q.target_id] as target_ids,
       array[q.target] as targets, q.database_name, q.query_hash, q.queryids[1] as queryid,
       q.queryids, q.fingerprint, q.query, q.kind, q.tables, q.unreadable, 0 as calls,
       0.0::float8 as total_exec_time, 0.0::float8 as mean_exec_time, 0 as rows,
       0 as shared_blks_hit, 0 as shared_blks_read, 0 as temp_blks_written,
       0.0::float8 as share_ratio
from pgadvisor.queries q
where (%(target)s::text is null or q.target = %(target)s)
  and (%(database)s::text is null or q.database_name = %(database)s)
  and (%(queryid)s::bigint is null or %(queryid)s = any (q.queryids))
  and (%(fingerprint)s::text is null or q.fingerprint = %(fingerprint)s)
order by q.first_seen_at desc
limit 1
