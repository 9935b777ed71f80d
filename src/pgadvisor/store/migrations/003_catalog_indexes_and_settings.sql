-- The catalog and the settings as changes, table and index counters, planner statistics.

create table catalog_objects (
    target_id integer not null constraint catalog_objects_target_id_fkey
        references targets on delete cascade,
    dbid bigint not null,
    kind text not null constraint catalog_objects_kind_check
        check (kind in ('table', 'index', 'foreign_key', 'search_path')),
    object text not null,
    definition jsonb not null,
    since timestamptz not null,
    until timestamptz,
    constraint catalog_objects_pkey primary key (target_id, dbid, kind, object, since),
    constraint catalog_objects_order check (until is null or since < until)
);
create unique index catalog_objects_current_idx on catalog_objects (target_id, dbid, kind, object)
    where until is null;
comment on table catalog_objects is
    'One row is one state of a table, index or foreign key over [since, until); current: until is null.';
comment on column catalog_objects.object is 'oid of a table or index, table oid and name of a constraint.';

create table column_statistics (
    target_id integer not null,
    dbid bigint not null,
    table_oid bigint not null,
    attname text not null,
    null_frac real,
    avg_width integer,
    n_distinct real,
    correlation real,
    most_common_freqs real[],
    captured_at timestamptz not null,
    constraint column_statistics_pkey primary key (target_id, dbid, table_oid, attname)
);
comment on table column_statistics is
    'One row is what pg_stats said of a column last, without any value of the user''s.';

create table relation_statistics (
    target_id integer not null,
    dbid bigint not null,
    oid bigint not null,
    captured_at timestamptz not null,
    kind text not null constraint relation_statistics_kind_check check (kind in ('table', 'index')),
    statistics jsonb not null,
    constraint relation_statistics_pkey primary key (target_id, dbid, oid, captured_at)
);
comment on table relation_statistics is
    'One row is the cumulative counters and sizes of a table or index; written when they changed.';

create table settings (
    target_id integer not null constraint settings_target_id_fkey references targets on delete cascade,
    name text not null,
    setting text not null,
    unit text,
    source text not null,
    since timestamptz not null,
    until timestamptz,
    constraint settings_pkey primary key (target_id, name, since)
);
create unique index settings_current_idx on settings (target_id, name) where until is null;
comment on table settings is 'One row is one value of a setting over [since, until).';
