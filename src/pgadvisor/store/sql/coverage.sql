-- one row: the seconds that intervals of a target cover in one bucket of time, by their end; of
-- several targets the one that is covered best
select at, max(covered_seconds) as covered_seconds
from (
    select target_id,
           to_timestamp(floor(extract(epoch from captured_at - interval '1 ms') / %(bucket)s) * %(bucket)s)
               as at,
           sum(extract(epoch from captured_at - since))::float8 as covered_seconds
    from snapshots
    where target_id = any (%(target_ids)s::integer[]) and since is not null
      and captured_at > %(since)s and captured_at <= %(until)s
    group by 1, 2
) c
group by 1
order by 1
