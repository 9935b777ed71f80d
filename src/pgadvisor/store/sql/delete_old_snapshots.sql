-- one row: a snapshot past its time; the newest is the head of the baseline, and its coverage is in
-- target_hours
delete from snapshots
where ctid = any (array(
    select ctid from snapshots
    where target_id = %(target_id)s and captured_at < %(raw)s
      and id < (select max(id) from snapshots where target_id = %(target_id)s)
    limit %(most)s))
