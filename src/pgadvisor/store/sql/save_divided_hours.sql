-- one row: a statement's hour, with its part of an interval over several hours added; all counters
-- go where the calls go (plans where there are none), which are divided in proportion, so that a
-- mean stays what it was and a rare statement has a row in few hours
insert into statement_hours as h (target_id, statement_id, hour, {counters})
select %(target_id)s, d.statement_id, p.hour, {values}
from incoming_deltas d
cross join unnest(%(hours)s::timestamptz[], %(shares_before)s::float8[], %(shares)s::float8[])
    as p (hour, share_before, share)
cross join lateral (
    select coalesce(nullif(d.calls, 0), nullif(d.plans, 0), 1)::float8 as whole
) w
cross join lateral (
    select round(w.whole * p.share_before) / w.whole as share_before,
           round(w.whole * p.share) / w.whole as share
) s
where s.share > s.share_before
order by d.statement_id, p.hour
on conflict (target_id, statement_id, hour) do update set {updates}
