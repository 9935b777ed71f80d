-- one row: a proposal that the last analysis did not find again
update optimization_recommendations
set state = 'expired', updated_at = %(now)s,
    state_reason = 'no longer found: carried out, or the workload no longer needs it'
where target_id = %(target_id)s and database_name = %(database)s
  and state in ('proposed', 'accepted') and key <> all (%(keys)s::text[])
