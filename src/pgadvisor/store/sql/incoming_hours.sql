-- one row: a statement's part of an hour, on its way to statement_hours
create temporary table if not exists incoming_hours (like statement_hours) on commit delete rows;
alter table incoming_hours alter target_id drop not null
