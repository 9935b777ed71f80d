-- one row: what the log showed of a plan shape in one hour, added to what it showed before
insert into plan_hours as h
    (target_id, plan_id, hour, executions, total_duration_ms, max_duration_ms)
select %(target_id)s, n.*
from unnest(%(plan_ids)s::bigint[], %(hours)s::timestamptz[], %(executions)s::bigint[],
            %(totals)s::float8[], %(maxima)s::float8[]) as n
on conflict on constraint plan_hours_pkey do update
set executions = h.executions + excluded.executions,
    total_duration_ms = h.total_duration_ms + excluded.total_duration_ms,
    max_duration_ms = greatest(h.max_duration_ms, excluded.max_duration_ms)
