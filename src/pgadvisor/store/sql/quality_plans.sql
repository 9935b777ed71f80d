-- one row: the logged plans of a database that belong to no known query, with their share of the
-- time that the log shows
select t.name as target, h.datname as database_name,
       count(distinct h.plan_id) filter (where not h.is_joined)::integer as plans,
       coalesce(sum(h.executions) filter (where not h.is_joined), 0)::bigint as executions,
       min(h.first_at) filter (where not h.is_joined) as first_at,
       max(h.last_at) filter (where not h.is_joined) as last_at,
       bool_or(h.has_queryid) as has_queryid,
       coalesce(sum(h.duration_ms) filter (where not h.is_joined) / nullif(sum(h.duration_ms), 0), 0)
           ::float8 as share_ratio
from (
    select p.id as plan_id, p.target_id, p.datname, sum(h.executions) as executions,
           sum(h.total_duration_ms) as duration_ms, min(p.first_seen_at) as first_at,
           max(p.last_seen_at) as last_at, bool_or(p.queryid is not null) as has_queryid,
           exists (select from queries q
                   join databases b on b.target_id = q.target_id and b.dbid = q.dbid
                   where q.target_id = p.target_id and b.datname = p.datname
                     and (q.queryid = p.queryid or q.fingerprint = p.fingerprint)) as is_joined
    from plan_hours h
    join plans p on p.id = h.plan_id
    where h.hour >= %(since)s and h.hour < %(until)s and p.source = 'auto_explain'
    group by p.id
) h
join targets t on t.id = h.target_id
where (%(target)s::text is null or t.name = %(target)s)
  and (%(database)s::text is null or h.datname = %(database)s)
group by t.name, h.datname
having bool_or(not h.is_joined)
order by share_ratio desc, t.name, h.datname
