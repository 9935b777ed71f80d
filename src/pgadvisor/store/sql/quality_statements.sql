-- one row: the statements of a database that one thing is wrong with, with their share of its time
-- in the window and the busiest of them
with spent as (
{spent}
), used as materialized (
    select t.id as target_id, t.name as target, b.datname as database_name, s.dbid, s.queryid,
           coalesce(q.fingerprint, s.queryid::text) as query_hash, q.fingerprint, q.kind, q.query,
           q.unreadable, min(q.first_seen_at) as first_seen_at,
           coalesce(sum(e.total_exec_time), 0) as total_exec_time
    from spent e
    join statements s on s.id = e.statement_id
    join targets t on t.id = s.target_id
    left join databases b on b.target_id = s.target_id and b.dbid = s.dbid
    left join queries q on q.target_id = s.target_id and q.dbid = s.dbid and q.queryid = s.queryid
    where q.is_own is not true and (%(database)s::text is null or b.datname = %(database)s)
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
), whole as (
    select target_id, database_name, sum(total_exec_time) as total_exec_time
    from used
    group by 1, 2
), wrong as (
    select u.*, 'database-unnamed' as item, '' as reason
    from used u
    where u.database_name is null
    union all
    select u.*, case when u.unreadable like 'hidden%%' then 'text-hidden'
                     when u.unreadable like '%%cut off%%' then 'text-truncated'
                     when u.unreadable like 'not SQL%%' then 'text-not-sql'
                     else 'text-unparsable' end,
           regexp_replace(split_part(u.unreadable, ' at or near', 1), '\d[\d.,]*', '..', 'g')
    from used u
    where u.unreadable is not null
    union all
    select u.*, 'text-missing', ''
    from used u
    where u.query is null and u.unreadable is null and u.database_name is not null
    union all
    select u.*, 'plan-missing',
           coalesce(regexp_replace(split_part(x.reason, ':', 1), '\d[\d.,]*', '..', 'g'), '')
    from used u
    left join unexplained x on x.target_id = u.target_id and x.dbid = u.dbid
        and x.queryid = u.queryid
    where u.kind in ('select', 'values', 'insert', 'update', 'delete', 'merge')
      and not exists (
          select from plans p
          where p.target_id = u.target_id and p.datname = u.database_name
            and (p.queryid = u.queryid or p.queryid is null and p.fingerprint = u.fingerprint))
    union all
    select u.*, 'no-advice',
           a.rule || ': ' || regexp_replace(split_part(a.reason, ':', 1), '\d[\d.,]*', '..', 'g')
    from used u
    join advice_silences a on a.target_id = u.target_id and a.database_name = u.database_name
        and a.queryid = u.queryid
    where not exists (
        select from optimization_recommendations r
        where r.target_id = u.target_id and r.database_name = u.database_name
          and r.state in ('proposed', 'accepted') and r.queryids @> array[u.queryid])
)
select x.target, x.database_name, x.item, x.reason,
       count(distinct x.query_hash)::integer as queries, min(x.first_seen_at) as first_at,
       coalesce(sum(x.total_exec_time) / nullif(max(w.total_exec_time), 0), 0)::float8 as share_ratio,
       (array_agg(x.query_hash order by x.total_exec_time desc, x.queryid))[1:5] as query_hashes
from wrong x
join whole w on w.target_id = x.target_id and w.database_name is not distinct from x.database_name
group by x.target, x.database_name, x.item, x.reason
order by share_ratio desc, x.target, x.database_name, x.item, x.reason
