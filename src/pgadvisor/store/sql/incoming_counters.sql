-- one row: an entry whose counters changed, on its way to statement_counters
create temporary table if not exists incoming_counters on commit delete rows as
select * from statement_counters with no data
