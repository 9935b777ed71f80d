-- one row: the id of the new snapshot
insert into snapshots (target_id, captured_at, since, system_identifier, postmaster_start_at,
                       stats_reset, dealloc, extension_version, statements, hidden,
                       hidden_exec_time, unwatched)
values (%(target_id)s, %(captured_at)s, %(since)s, %(system_identifier)s, %(postmaster_start_at)s,
        %(stats_reset)s, %(dealloc)s, %(extension_version)s, %(statements)s, %(hidden)s,
        %(hidden_exec_time)s, %(unwatched)s)
returning id
