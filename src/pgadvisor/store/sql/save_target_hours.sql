-- one row: an hour of a target, with the seconds of an interval that fall into it added
insert into target_hours as h (target_id, hour, covered_seconds, snapshots)
select %(target_id)s, hour, seconds, 1
from unnest(%(hours)s::timestamptz[], %(seconds)s::float8[]) as p (hour, seconds)
on conflict on constraint target_hours_pkey do update
set covered_seconds = h.covered_seconds + excluded.covered_seconds,
    snapshots = h.snapshots + 1
