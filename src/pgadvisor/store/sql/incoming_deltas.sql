-- one row: a delta on its way to statement_deltas, statement_hours and database_intervals
create temporary table if not exists incoming_deltas on commit delete rows as
select d.*, 0::bigint as dbid, false as toplevel from statement_deltas d with no data
