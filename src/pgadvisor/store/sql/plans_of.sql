-- one row: a plan shape of a query, by queryid where the plan has one, else by fingerprint
with wanted as (
    select * from unnest(%(queryids)s::bigint[], %(fingerprints)s::text[]) as w (queryid, fingerprint)
), matched as (
    select w.queryid as wanted_queryid, p.*,
           row_number() over (partition by w.queryid
                              order by p.source = 'auto_explain' desc, p.last_seen_at desc) as place
    from wanted w
    join plans p on p.target_id = %(target_id)s and p.datname = %(database)s
        and (p.queryid = w.queryid or p.queryid is null and p.fingerprint = w.fingerprint)
)
select wanted_queryid, id, shape, source, plan, extra, example_query, first_seen_at, last_seen_at,
       executions, total_duration_ms / nullif(executions, 0), max_duration_ms
from matched
where place <= %(most)s
order by wanted_queryid, place
