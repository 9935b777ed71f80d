-- one row: a role that no statement of the target names; an hour later it is there again if it exists
delete from roles
where ctid = any (array(
    select r.ctid from roles r
    where r.target_id = %(target_id)s
      and not exists (select from statements s
                      where (s.target_id, s.userid) = (r.target_id, r.userid))
    limit %(most)s))
