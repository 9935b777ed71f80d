-- one row: what part of the window intervals cover, and the most backends seen active at once
select min(greatest(s.since, %(since)s)), max(s.captured_at),
       coalesce(sum(extract(epoch from s.captured_at - greatest(s.since, %(since)s))) / 3600, 0)::float8,
       (select max(n)::integer
        from (select sum(backends) as n from activity_samples
              where target_id = %(target_id)s and state = 'active'
                and captured_at > %(since)s and captured_at <= %(until)s
              group by captured_at) a)
from snapshots s
where s.target_id = %(target_id)s and s.since is not null
  and s.captured_at > %(since)s and s.captured_at <= %(until)s
