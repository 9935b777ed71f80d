-- one row: a setting with a new value; the value it replaces is closed
with seen as (
    select * from unnest(%(names)s::text[], %(settings)s::text[], %(units)s::text[],
                         %(sources)s::text[]) as s (name, setting, unit, source)
), closed as (
    update settings o set until = greatest(%(now)s, o.since + interval '1 microsecond')
    where o.target_id = %(target_id)s and o.until is null
        and not exists (select from seen s where s.name = o.name and s.setting = o.setting
                                             and s.source = o.source)
    returning o.name, o.until
)
insert into settings (target_id, name, setting, unit, source, since)
select %(target_id)s, s.name, s.setting, s.unit, s.source, coalesce(c.until, %(now)s)
from seen s
left join closed c using (name)
where c.name is not null
   or not exists (select from settings o
                  where o.target_id = %(target_id)s and o.until is null and o.name = s.name)
