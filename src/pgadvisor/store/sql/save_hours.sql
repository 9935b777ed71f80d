-- one row: a statement's hour, with what it did in an interval within the hour added
insert into statement_hours as h (target_id, statement_id, hour, {counters})
select %(target_id)s, statement_id, %(hour)s, {values}
from incoming_deltas
order by statement_id
on conflict (target_id, statement_id, hour) do update set {updates}
