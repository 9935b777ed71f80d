-- one row: an old text that no statement, plan or recommendation of the target has any more
delete from queries
where ctid = any (array(
    select q.ctid from queries q
    where q.target_id = %(target_id)s and q.first_seen_at < %(hourly)s
      and not exists (select from statements s
                      where (s.target_id, s.queryid, s.dbid) = (q.target_id, q.queryid, q.dbid))
      and q.queryid not in (select queryid from plans
                            where target_id = %(target_id)s and queryid is not null)
      and (q.fingerprint is null
           or q.fingerprint not in (select fingerprint from plans
                                    where target_id = %(target_id)s and fingerprint is not null))
      and q.queryid not in (select unnest(queryids) from optimization_recommendations
                            where target_id = %(target_id)s)
    limit %(most)s))
