-- Targets, their statements, and what the statements did over time.
-- In the counter columns null stands for zero: most counters of most statements are zero, and a
-- null takes no room. Times are in milliseconds, as in pg_stat_statements.

create table targets (
    id integer generated always as identity primary key,
    name text not null constraint targets_name_key unique,
    conninfo text not null constraint targets_conninfo_no_password check (conninfo !~* 'password\s*='),
    system_identifier text,
    server_version_num integer,
    in_recovery boolean,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz,
    last_error text,
    last_error_at timestamptz
);
comment on table targets is 'One row is one watched PostgreSQL server.';
comment on column targets.conninfo is 'libpq connection string without a password.';
comment on column targets.last_error is 'Why the last attempt to read it failed; null after a success.';

create table databases (
    target_id integer not null constraint databases_target_id_fkey references targets on delete cascade,
    dbid bigint not null,
    datname text not null,
    last_seen_at timestamptz not null,
    constraint databases_pkey primary key (target_id, dbid)
);
comment on table databases is 'One row is one database of a target (pg_database).';

create table roles (
    target_id integer not null constraint roles_target_id_fkey references targets on delete cascade,
    userid bigint not null,
    rolname text not null,
    constraint roles_pkey primary key (target_id, userid)
);
comment on table roles is 'One row is one role of a target (pg_roles).';

create table queries (
    target_id integer not null constraint queries_target_id_fkey references targets on delete cascade,
    dbid bigint not null,
    queryid bigint not null,
    query text,
    fingerprint text,
    kind text,
    is_own boolean not null default false,
    unreadable text,
    first_seen_at timestamptz not null,
    constraint queries_pkey primary key (target_id, dbid, queryid)
);
create index queries_fingerprint_idx on queries (fingerprint);
comment on table queries is 'One row is the text that goes with a queryid in one database.';
comment on column queries.query is 'Text as pg_stat_statements normalized it; null while hidden.';
comment on column queries.fingerprint is 'libpg_query fingerprint, 16 hex digits; null when not parsable.';
comment on column queries.kind is 'select, insert, update, delete, merge, utility.';
comment on column queries.is_own is 'True for a statement of pgadvisor itself; left out everywhere.';
comment on column queries.unreadable is 'Why the text cannot be used: hidden, truncated, not parsable.';

create table statements (
    id bigint generated always as identity primary key,
    target_id integer not null constraint statements_target_id_fkey references targets on delete cascade,
    dbid bigint not null,
    userid bigint not null,
    queryid bigint not null,
    toplevel boolean not null,
    constraint statements_key unique (target_id, dbid, userid, queryid, toplevel)
);
comment on table statements is 'One row is one entry key of pg_stat_statements (pgssHashKey).';

create table snapshots (
    id bigint generated always as identity primary key,
    target_id integer not null constraint snapshots_target_id_fkey references targets on delete cascade,
    captured_at timestamptz not null,
    since timestamptz,
    system_identifier text not null,
    postmaster_start_at timestamptz not null,
    stats_reset timestamptz,
    dealloc bigint,
    extension_version text,
    statements integer not null,
    hidden integer not null,
    hidden_exec_time double precision not null,
    constraint snapshots_order check (since is null or since < captured_at)
);
create index snapshots_target_idx on snapshots (target_id, id);
comment on table snapshots is
    'One row is one reading of pg_stat_statements; the newest id is the baseline, whatever the clock said.';
comment on column snapshots.since is 'Start of the interval it closes; null for a first reading.';

create table statement_counters (
    target_id integer not null,
    statement_id bigint not null constraint statement_counters_statement_id_fkey
        references statements on delete cascade,
    min_exec_time double precision not null,
    max_exec_time double precision not null,
    stats_since timestamptz,
    calls bigint,
    rows bigint,
    total_exec_time double precision,
    sum_squared_exec_time double precision,
    plans bigint,
    total_plan_time double precision,
    shared_blks_hit bigint,
    shared_blks_read bigint,
    shared_blks_dirtied bigint,
    shared_blks_written bigint,
    local_blks_hit bigint,
    local_blks_read bigint,
    local_blks_dirtied bigint,
    local_blks_written bigint,
    temp_blks_read bigint,
    temp_blks_written bigint,
    shared_blk_read_time double precision,
    shared_blk_write_time double precision,
    local_blk_read_time double precision,
    local_blk_write_time double precision,
    temp_blk_read_time double precision,
    temp_blk_write_time double precision,
    wal_records bigint,
    wal_fpi bigint,
    wal_bytes bigint,
    jit_functions bigint,
    jit_generation_time double precision,
    jit_inlining_time double precision,
    jit_optimization_time double precision,
    jit_emission_time double precision,
    parallel_workers_to_launch bigint,
    parallel_workers_launched bigint,
    constraint statement_counters_pkey primary key (target_id, statement_id)
) with (fillfactor = 60);
comment on table statement_counters is
    'One row is an entry of the last snapshot, cumulative: the baseline of the next interval.';

create table statement_deltas (
    target_id integer not null,
    statement_id bigint not null,
    since timestamptz not null,
    until timestamptz not null,
    calls bigint,
    rows bigint,
    total_exec_time double precision,
    sum_squared_exec_time double precision,
    plans bigint,
    total_plan_time double precision,
    shared_blks_hit bigint,
    shared_blks_read bigint,
    shared_blks_dirtied bigint,
    shared_blks_written bigint,
    local_blks_hit bigint,
    local_blks_read bigint,
    local_blks_dirtied bigint,
    local_blks_written bigint,
    temp_blks_read bigint,
    temp_blks_written bigint,
    shared_blk_read_time double precision,
    shared_blk_write_time double precision,
    local_blk_read_time double precision,
    local_blk_write_time double precision,
    temp_blk_read_time double precision,
    temp_blk_write_time double precision,
    wal_records bigint,
    wal_fpi bigint,
    wal_bytes bigint,
    jit_functions bigint,
    jit_generation_time double precision,
    jit_inlining_time double precision,
    jit_optimization_time double precision,
    jit_emission_time double precision,
    parallel_workers_to_launch bigint,
    parallel_workers_launched bigint,
    constraint statement_deltas_order check (since < until),
    constraint statement_deltas_not_negative check (calls >= 0 and total_exec_time >= 0)
) partition by range (until);
create index statement_deltas_statement_idx on statement_deltas (target_id, statement_id, until);
comment on table statement_deltas is
    'One row is what one statement did over [since, until); none where nothing happened.';

create table statement_hours (
    target_id integer not null,
    statement_id bigint not null,
    hour timestamptz not null,
    calls bigint,
    rows bigint,
    total_exec_time double precision,
    sum_squared_exec_time double precision,
    plans bigint,
    total_plan_time double precision,
    shared_blks_hit bigint,
    shared_blks_read bigint,
    shared_blks_dirtied bigint,
    shared_blks_written bigint,
    local_blks_hit bigint,
    local_blks_read bigint,
    local_blks_dirtied bigint,
    local_blks_written bigint,
    temp_blks_read bigint,
    temp_blks_written bigint,
    shared_blk_read_time double precision,
    shared_blk_write_time double precision,
    local_blk_read_time double precision,
    local_blk_write_time double precision,
    temp_blk_read_time double precision,
    temp_blk_write_time double precision,
    wal_records bigint,
    wal_fpi bigint,
    wal_bytes bigint,
    jit_functions bigint,
    jit_generation_time double precision,
    jit_inlining_time double precision,
    jit_optimization_time double precision,
    jit_emission_time double precision,
    parallel_workers_to_launch bigint,
    parallel_workers_launched bigint,
    constraint statement_hours_pkey primary key (target_id, statement_id, hour)
) partition by range (hour);
create index statement_hours_hour_idx on statement_hours (target_id, hour);
comment on table statement_hours is
    'One row is what one statement did in the hour that begins at "hour"; equals the sum of its '
    'deltas, an interval across hours is divided in proportion.';

create table database_intervals (
    target_id integer not null constraint database_intervals_target_id_fkey
        references targets on delete cascade,
    dbid bigint not null,
    since timestamptz not null,
    until timestamptz not null,
    statements integer not null,
    calls bigint not null,
    rows bigint not null,
    total_exec_time double precision not null,
    shared_blks_hit bigint not null,
    shared_blks_read bigint not null,
    temp_blks_written bigint not null,
    wal_bytes bigint not null
);
create index database_intervals_idx on database_intervals (target_id, dbid, until);
comment on table database_intervals is
    'One row is what all statements of one database did over [since, until): the load.';

create table gaps (
    id bigint generated always as identity primary key,
    target_id integer not null constraint gaps_target_id_fkey references targets on delete cascade,
    since timestamptz not null,
    until timestamptz not null,
    reason text not null constraint gaps_reason_check check (reason in (
        'first_sight', 'reset', 'eviction', 'restart', 'other_cluster', 'clock')),
    statements integer not null default 0,
    constraint gaps_order check (since <= until)
);
create index gaps_target_idx on gaps (target_id, until);
comment on table gaps is
    'One row is a span in which calls may have happened that no counter of the target shows.';
