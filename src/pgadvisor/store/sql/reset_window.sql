-- one row: the time the counters of the last snapshot stand for; a server before version 14 does not
-- say when they were reset, so its start stands in
select coalesce(stats_reset, postmaster_start_at), captured_at,
       extract(epoch from captured_at - coalesce(stats_reset, postmaster_start_at))::float8 / 3600,
       (select max(n)::integer
        from (select sum(backends) as n from activity_samples
              where target_id = %(target_id)s and state = 'active' group by captured_at) a)
from snapshots
where target_id = %(target_id)s
order by id desc
limit 1
