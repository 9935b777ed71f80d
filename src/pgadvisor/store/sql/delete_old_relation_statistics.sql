-- one row: counters of a table or index past their time, once later ones hold at that time, too, or
-- once the table or index is gone
delete from relation_statistics
where ctid = any (array(
    select r.ctid from relation_statistics r
    where r.target_id = %(target_id)s and r.captured_at < %(raw)s
      and (exists (select from relation_statistics later
                   where (later.target_id, later.dbid, later.oid) = (r.target_id, r.dbid, r.oid)
                     and later.captured_at > r.captured_at and later.captured_at <= %(raw)s)
           or r.captured_at < %(hourly)s
              and not exists (select from catalog_objects o
                              where (o.target_id, o.dbid, o.kind, o.object)
                                    = (r.target_id, r.dbid, r.kind, r.oid::text)
                                and o.until is null))
    limit %(most)s))
