-- one row: a query over the window, all its queryids added up, busiest first; its share is of the
-- top-level time of its database. A place is a target, or a primary with its replicas
with spent as (
{spent}
), named as (
    select case when %(per_cluster)s::boolean then coalesce(t.system_identifier, 'target ' || t.id)
                else t.id::text end as place,
           e.target_id, t.in_recovery, b.datname as database_name,
           coalesce(q.fingerprint, s.queryid::text) as query_hash, s.queryid, s.toplevel, q.kind,
           q.tables, e.calls, e.total_exec_time, e.rows, e.shared_blks_hit, e.shared_blks_read,
           e.temp_blks_written
    from spent e
    join statements s on s.id = e.statement_id
    join targets t on t.id = e.target_id
    join databases b on b.target_id = s.target_id and b.dbid = s.dbid
    left join queries q on q.target_id = s.target_id and q.dbid = s.dbid and q.queryid = s.queryid
    where q.is_own is not true
      and (%(database)s::text is null or b.datname = %(database)s)
), by_queryid as (
    select place, target_id, in_recovery, database_name, query_hash, queryid, max(kind) as kind,
           max(tables) as tables, sum(calls) as calls, sum(total_exec_time) as total_exec_time,
           sum(total_exec_time) filter (where toplevel) as toplevel_time, sum(rows) as rows,
           sum(shared_blks_hit) as shared_blks_hit, sum(shared_blks_read) as shared_blks_read,
           sum(temp_blks_written) as temp_blks_written
    from named
    group by 1, 2, 3, 4, 5, 6
), grouped as (
    select place, database_name, query_hash, max(kind) as kind,
           array_agg(target_id order by in_recovery nulls last, total_exec_time desc nulls last)
               as target_ids,
           array_agg(queryid order by total_exec_time desc nulls last, queryid) as queryids,
           max(tables) as tables,
           coalesce(sum(calls), 0)::bigint as calls,
           -- rounded, so that a sum in another order does not lose a row between two pages
           round(coalesce(sum(total_exec_time), 0)::numeric, 3)::float8 as total_exec_time,
           sum(toplevel_time) as toplevel_time,
           coalesce(sum(rows), 0)::bigint as rows,
           coalesce(sum(shared_blks_hit), 0)::bigint as shared_blks_hit,
           coalesce(sum(shared_blks_read), 0)::bigint as shared_blks_read,
           coalesce(sum(temp_blks_written), 0)::bigint as temp_blks_written
    from by_queryid
    group by 1, 2, 3
), ranked as (
    select *, coalesce(total_exec_time
                       / nullif(sum(toplevel_time) over (partition by place, database_name), 0), 0)
                  as share_ratio
    from grouped
), page as (
    select *
    from ranked
    where (%(kinds)s::text[] is null or kind = any (%(kinds)s::text[])
           or kind is null and %(unknown_kind)s::boolean)
      and (%(table)s::text is null
           or exists (select from unnest(tables) as t (name)
                      where t.name = %(table)s
                         or right(t.name, length(%(table)s) + 1) = '.' || %(table)s))
      and (%(after_time)s::float8 is null
           or (total_exec_time, query_hash, place, database_name)
              < (%(after_time)s, %(after_hash)s::text, %(after_place)s::text,
                 %(after_database)s::text))
    order by total_exec_time desc, query_hash desc, place desc, database_name desc
    limit %(limit)s
)
select p.place, p.target_ids[1] as target_id, t.name as target,
       array(select distinct unnest(p.target_ids) order by 1) as target_ids,
       array(select name from targets where id = any (p.target_ids) order by name) as targets,
       p.database_name, p.query_hash, p.queryids[1] as queryid,
       array(select queryid from unnest(p.queryids) with ordinality as u (queryid, place)
             group by queryid order by min(place)) as queryids,
       x.fingerprint, x.query, p.kind, x.tables, x.unreadable, p.calls, p.total_exec_time,
       coalesce(p.total_exec_time / nullif(p.calls, 0), 0) as mean_exec_time, p.rows,
       p.shared_blks_hit, p.shared_blks_read, p.temp_blks_written, p.share_ratio
from page p
join targets t on t.id = p.target_ids[1]
left join lateral (
    select q.fingerprint, q.query, q.tables, q.unreadable
    from queries q
    join databases b on b.target_id = q.target_id and b.dbid = q.dbid
    where q.target_id = any (p.target_ids) and q.queryid = p.queryids[1]
      and b.datname = p.database_name
    order by q.query is null, q.first_seen_at desc
    limit 1
) x on true
order by p.total_exec_time desc, p.query_hash desc, p.place desc, p.database_name desc
