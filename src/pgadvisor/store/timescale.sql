-- Makes hypertables of TimescaleDB of the partitioned tables, with all their rows, indexes,
-- constraints, comments and grants. Run by store/timescale.py; does nothing where they are made.
do $$
declare
    extension_schema constant name := (
        select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
        where e.extname = 'timescaledb');
    wanted record;
    definition text;
    definitions text[];
    named text;
begin
    for wanted in
        select * from (values
            ('statement_deltas', 'until', interval '1 day', 100, 'target_id, statement_id'),
            ('executions', 'logged_at', interval '1 day', 100, 'target_id'),
            ('statement_hours', 'hour', interval '30 days', 50, 'target_id, statement_id')
        ) as w (relation, at, chunk, fillfactor, segment)
        where exists (select from pg_partitioned_table where partrelid = to_regclass(w.relation))
    loop
        named := wanted.relation || '_native';
        execute format('alter table %I rename to %I', wanted.relation, named);
        -- what LIKE does not copy under its own name
        definitions := array(
            select format('alter table %I add constraint %I %s', wanted.relation, conname,
                          pg_get_constraintdef(oid))
            from pg_constraint where conrelid = named::regclass and contype in ('p', 'u')
            union all
            select replace(replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '),
                           '.' || named || ' USING ', '.' || wanted.relation || ' USING ')
            from pg_index i
            where i.indrelid = named::regclass
              and not exists (select from pg_constraint where conindid = i.indexrelid)
            union all
            select format('comment on table %I is %L', wanted.relation,
                          obj_description(named::regclass, 'pg_class'))
            union all
            select format('grant %s on %I to %s', a.privilege_type, wanted.relation,
                          case when a.grantee = 0 then 'public' else a.grantee::regrole::text end)
            from pg_class c, aclexplode(c.relacl) a
            where c.oid = named::regclass);
        execute format(
            'create table %I (like %I including defaults including constraints including comments
                              including storage) with (fillfactor = %s)',
            wanted.relation, named, wanted.fillfactor);
        execute format(
            'select %I.create_hypertable(%L, %I.by_range(%L, %L::interval),
                                         create_default_indexes => false)',
            extension_schema, wanted.relation, extension_schema, wanted.at, wanted.chunk);
        execute format('insert into %I select * from %I', wanted.relation, named);
        execute format('drop table %I', named);
        foreach definition in array definitions loop
            execute definition;
        end loop;
        if current_setting('timescaledb.license') = 'timescale' then
            execute format(
                'alter table %I set (timescaledb.compress, timescaledb.compress_segmentby = %L,
                                     timescaledb.compress_orderby = %L)',
                wanted.relation, wanted.segment, wanted.at);
        end if;
    end loop;
end
$$
