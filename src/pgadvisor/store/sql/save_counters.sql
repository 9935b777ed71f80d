-- one row: the new baseline of an entry
insert into statement_counters (target_id, {columns})
select %(target_id)s, {columns} from incoming_counters
on conflict (target_id, statement_id) do update set {updates}
