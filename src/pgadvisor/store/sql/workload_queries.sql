-- one row: a query of the database over the window, users and calls added up, busiest first; on
-- the replicas of a primary it has the same queryid
with spent as (
{spent}
), used as (
    select s.queryid, r.rolname, bool_or(s.toplevel) as toplevel, max(q.fingerprint) as fingerprint,
           max(q.query) as query, sum(e.calls) as calls, sum(e.total_exec_time) as total_exec_time,
           sum(e.rows) as rows, sum(e.sum_squared_exec_time) as sum_squared_exec_time,
           sum(e.shared_blks_hit) as shared_blks_hit, sum(e.shared_blks_read) as shared_blks_read,
           sum(e.temp_blks_read) as temp_blks_read, sum(e.temp_blks_written) as temp_blks_written,
           sum(e.temp_blk_read_time) as temp_blk_read_time,
           sum(e.temp_blk_write_time) as temp_blk_write_time
    from spent e
    join statements s on s.id = e.statement_id
    join databases b on b.target_id = s.target_id and b.dbid = s.dbid
    left join queries q on q.target_id = s.target_id and q.dbid = s.dbid and q.queryid = s.queryid
    left join roles r on r.target_id = s.target_id and r.userid = s.userid
    where b.datname = %(database)s and q.is_own is not true
    group by 1, 2
)
select queryid, max(fingerprint) as fingerprint, max(query) as query,
       coalesce(sum(calls), 0)::bigint as calls,
       coalesce(sum(total_exec_time), 0)::float8 as total_exec_time,
       coalesce(sum(rows), 0)::bigint as rows,
       coalesce(sum(sum_squared_exec_time), 0)::float8 as sum_squared_exec_time,
       coalesce(sum(shared_blks_hit), 0)::bigint as shared_blks_hit,
       coalesce(sum(shared_blks_read), 0)::bigint as shared_blks_read,
       coalesce(sum(temp_blks_read), 0)::bigint as temp_blks_read,
       coalesce(sum(temp_blks_written), 0)::bigint as temp_blks_written,
       coalesce(sum(temp_blk_read_time), 0)::float8 as temp_blk_read_time,
       coalesce(sum(temp_blk_write_time), 0)::float8 as temp_blk_write_time,
       bool_or(toplevel) as toplevel,
       coalesce(array_agg(rolname order by total_exec_time desc nulls last)
                    filter (where rolname is not null), '{{}}') as users
from used
group by queryid
order by total_exec_time desc, queryid
limit %(most)s
