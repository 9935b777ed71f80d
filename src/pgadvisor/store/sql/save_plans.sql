-- one row: the id of a plan shape, made or brought up to date with its newest example
insert into plans as p (target_id, datname, queryid, fingerprint, shape, source, plan, extra,
    example_query, first_seen_at, last_seen_at, executions, total_duration_ms, max_duration_ms)
select %(target_id)s, n.*
from unnest(%(datnames)s::text[], %(queryids)s::bigint[], %(fingerprints)s::text[],
            %(shapes)s::text[], %(sources)s::text[], %(plans)s::jsonb[], %(extras)s::jsonb[],
            %(queries)s::text[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[],
            %(executions)s::bigint[], %(totals)s::float8[], %(maxima)s::float8[]) as n
on conflict on constraint plans_key do update
set plan = case when excluded.last_seen_at >= p.last_seen_at then excluded.plan else p.plan end,
    extra = case when excluded.last_seen_at >= p.last_seen_at then excluded.extra else p.extra end,
    example_query = case when excluded.last_seen_at >= p.last_seen_at
                         then excluded.example_query else p.example_query end,
    first_seen_at = least(p.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(p.last_seen_at, excluded.last_seen_at),
    executions = p.executions + excluded.executions,
    total_duration_ms = p.total_duration_ms + excluded.total_duration_ms,
    max_duration_ms = greatest(p.max_duration_ms, excluded.max_duration_ms)
returning p.id, p.datname, p.queryid, p.fingerprint, p.shape, p.source
