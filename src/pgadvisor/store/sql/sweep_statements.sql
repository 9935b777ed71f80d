-- one row: the last statement looked at (null at the end) and how many without history were deleted
with looked as (
    select id from statements
    where target_id = %(target_id)s and id > %(after)s
    order by id
    limit %(most)s
), gone as (
    delete from statements s
    using looked l
    where s.id = l.id
      and not exists (select from statement_counters c
                      where c.target_id = s.target_id and c.statement_id = s.id)
      and not exists (select from statement_hours h
                      where h.target_id = s.target_id and h.statement_id = s.id)
      and not exists (select from statement_deltas d
                      where d.target_id = s.target_id and d.statement_id = s.id)
    returning 1
)
select (select max(id) from looked), (select count(*) from gone)
