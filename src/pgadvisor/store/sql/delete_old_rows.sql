-- one row: a row of a target that is past its time
delete from {table}
where ctid = any (array(
    select ctid from {table}
    where target_id = %(target_id)s and {column} < %(before)s
    limit %(most)s))
