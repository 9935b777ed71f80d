-- one row: a statement's hour, added to what the hour had
insert into statement_hours as h (target_id, statement_id, hour, {counters})
select %(target_id)s, statement_id, hour, {counters} from incoming_hours
on conflict (target_id, statement_id, hour) do update set {updates}
