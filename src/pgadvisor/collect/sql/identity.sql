-- One row: what tells one cluster (and its replicas) from another.
SELECT system_identifier::text FROM pg_control_system()
