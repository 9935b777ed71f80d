-- one row: the seconds that readings and imports of a target cover in one bucket of whole hours, as
-- the hourly roll-up divides its counters; of several targets the one that is covered best
with imported as (
    select i.target_id, greatest(i.since, %(since)s) as since, least(i.until, %(until)s) as until
    from imported_spans i
    join databases b on b.target_id = i.target_id and b.dbid = i.dbid
    where i.target_id = any (%(target_ids)s::integer[]) and i.since < %(until)s
      and i.until > %(since)s and (%(database)s::text is null or b.datname = %(database)s)
), seen as (
    select target_id, floor(extract(epoch from hour) / %(bucket)s) as bucket, covered_seconds
    from target_hours
    where target_id = any (%(target_ids)s::integer[])
      and hour >= %(since)s and hour < %(until)s
    union all
    -- spans of an import may be days long
    select i.target_id, n,
           least(extract(epoch from i.until), (n + 1) * %(bucket)s)
           - greatest(extract(epoch from i.since), n * %(bucket)s)
    from imported i
    cross join lateral generate_series(
        floor(extract(epoch from i.since) / %(bucket)s)::bigint,
        ceil(extract(epoch from i.until) / %(bucket)s)::bigint - 1) as n
)
select to_timestamp((bucket * %(bucket)s)::float8) as at, max(covered_seconds) as covered_seconds
from (
    select target_id, bucket, sum(covered_seconds)::float8 as covered_seconds
    from seen
    group by 1, 2
) c
group by 1
order by 1
