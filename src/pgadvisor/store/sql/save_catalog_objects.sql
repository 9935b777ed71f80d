-- one row: an object whose definition is new; the state it replaces is closed, and so is what is gone
with seen as (
    select * from unnest(%(kinds)s::text[], %(objects)s::text[], %(definitions)s::jsonb[])
        as s (kind, object, definition)
), closed as (
    update catalog_objects o
    set until = greatest(%(now)s, o.since + interval '1 microsecond')
    where o.target_id = %(target_id)s and o.dbid = %(dbid)s and o.until is null
        and not exists (select from seen s
                        where (s.kind, s.object, s.definition) = (o.kind, o.object, o.definition))
    returning o.kind, o.object, o.until
)
insert into catalog_objects (target_id, dbid, kind, object, definition, since)
select %(target_id)s, %(dbid)s, s.kind, s.object, s.definition,
       coalesce(c.until, %(now)s)
from seen s
left join closed c using (kind, object)
where c.object is not null
   or not exists (select from catalog_objects o
                  where o.target_id = %(target_id)s and o.dbid = %(dbid)s and o.until is null
                    and (o.kind, o.object) = (s.kind, s.object))
