-- one row: what a statement did over a span that raw history is still kept of
insert into statement_deltas (target_id, statement_id, since, until, {counters})
select %(target_id)s, statement_id, since, until, {sums}
from incoming_history
where until > %(raw_since)s
group by statement_id, since, until
order by statement_id, until
