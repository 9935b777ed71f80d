-- one row: a query that is known, whether or not it ran in the window; counters are zero
select q.target_id, t.name as target, b.datname as database_name, q.dbid, q.queryid, q.fingerprint,
       q.query, q.kind, q.unreadable, 0 as calls, 0.0::float8 as total_exec_time,
       0.0::float8 as mean_exec_time, 0 as rows, 0 as shared_blks_hit, 0 as shared_blks_read,
       0 as temp_blks_written, 0.0::float8 as share_ratio
from queries q
join targets t on t.id = q.target_id
join databases b on (b.target_id, b.dbid) = (q.target_id, q.dbid)
where not q.is_own
  and (%(target)s::text is null or t.name = %(target)s)
  and (%(database)s::text is null or b.datname = %(database)s)
  and (%(queryid)s::bigint is null or q.queryid = %(queryid)s)
  and (%(fingerprint)s::text is null or q.fingerprint = %(fingerprint)s)
order by q.first_seen_at desc
limit 1
