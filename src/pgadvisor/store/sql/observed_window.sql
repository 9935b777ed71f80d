-- one row: what part of the window is observed, of several targets what at least one of them is,
-- and the most backends seen active at once on one of them
with spans as (
    select greatest(since, %(since)s) as since, captured_at as until
    from snapshots
    where target_id = any (%(target_ids)s::integer[]) and since is not null
      and captured_at > %(since)s and captured_at <= %(until)s
), older as (
    -- snapshots are not kept for ever, of what was before them there are hours
    select hour, max(covered_seconds) as seconds
    from target_hours
    where target_id = any (%(target_ids)s::integer[]) and hour >= %(since)s and hour < %(until)s
      and hour < (select date_trunc('hour', coalesce(min(since), 'infinity')) from spans)
    group by hour
), imported as (
    select greatest(i.since, %(since)s) as since, least(i.until, %(until)s) as until
    from imported_spans i
    join databases b on b.target_id = i.target_id and b.dbid = i.dbid
    where i.target_id = any (%(target_ids)s::integer[]) and b.datname = %(database)s
      and i.since < %(until)s and i.until > %(since)s
), covered as (
    select range_agg(tstzrange(since, until)) as spans
    from (select * from spans union all select * from imported) s
    where since < until
), ends as (
    select lower(spans) as since, upper(spans) as until from covered
    union all
    select min(hour), max(hour) + interval '1 hour' from older
)
select (select min(since) from ends), (select max(until) from ends),
       ((coalesce((select sum(extract(epoch from upper(span) - lower(span)))
                   from covered cross join lateral unnest(spans) as span), 0)
         + coalesce((select sum(seconds) from older), 0)) / 3600)::float8,
       (select max(n)::integer
        from (select sum(backends) as n from activity_samples
              where target_id = any (%(target_ids)s::integer[]) and state = 'active'
                and captured_at > %(since)s and captured_at <= %(until)s
              group by target_id, captured_at) a)
