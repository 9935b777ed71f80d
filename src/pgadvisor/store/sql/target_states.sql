-- one row: a target, when it was last read and what the last reading held
select t.id as target_id, t.name as target, t.server_version_num, t.in_recovery, t.first_seen_at,
       t.last_seen_at, t.last_error, t.last_error_at,
       s.captured_at as last_snapshot_at, coalesce(s.statements, 0) as statements,
       coalesce(s.hidden, 0) as hidden,
       (select count(*) from snapshots c where c.target_id = t.id) as snapshots
from targets t
left join lateral (
    select captured_at, statements, hidden from snapshots
    where target_id = t.id order by id desc limit 1
) s on true
order by t.name
