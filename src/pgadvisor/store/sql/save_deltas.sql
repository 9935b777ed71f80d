-- one row: what a statement did over an interval
insert into statement_deltas (target_id, statement_id, since, until, {counters})
select %(target_id)s, statement_id, %(since)s, %(until)s, {values}
from incoming_deltas
order by statement_id
