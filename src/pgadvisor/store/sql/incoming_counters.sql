-- one row: an entry whose counters changed, on its way to statement_counters
create temporary table if not exists incoming_counters
(like statement_counters, primary key (statement_id)) on commit delete rows;
alter table incoming_counters alter target_id drop not null
