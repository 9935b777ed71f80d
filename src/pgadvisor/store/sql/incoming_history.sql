-- one row: what a statement did over a span, on its way into the history
create temporary table if not exists incoming_history on commit delete rows as
select d.*, 0::bigint as dbid, false as toplevel from statement_deltas d with no data
