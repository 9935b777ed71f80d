-- one row: what one queryid of a query did on one target of its cluster over the window
with spent as (
{spent}
)
select t.name as target, t.in_recovery, s.queryid, coalesce(sum(e.calls), 0)::bigint as calls,
       coalesce(sum(e.total_exec_time), 0)::float8 as total_exec_time,
       coalesce(sum(e.total_exec_time) / nullif(sum(e.calls), 0), 0)::float8 as mean_exec_time
from spent e
join statements s on s.id = e.statement_id
join targets t on t.id = e.target_id
group by t.name, t.in_recovery, s.queryid
order by t.in_recovery nulls last, t.name, total_exec_time desc, s.queryid
