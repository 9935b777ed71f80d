-- Many targets, what logs show beside plans, checks, hours of plans, and the salt of hashed values.

alter table targets
    add column kind text not null default 'server'
        constraint targets_kind_check check (kind in ('server', 'log', 'import')),
    add column paused_at timestamptz,
    add column interval_seconds double precision
        constraint targets_interval_seconds_check check (interval_seconds > 0),
    add column activity_interval_seconds double precision
        constraint targets_activity_interval_seconds_check check (activity_interval_seconds > 0),
    add column catalog_interval_seconds double precision
        constraint targets_catalog_interval_seconds_check check (catalog_interval_seconds > 0),
    add column databases text[],
    add column excluded_databases text[] not null default '{}',
    add column failures integer not null default 0,
    add column retry_at timestamptz,
    add column clock_skew_ms double precision,
    add column log_problem text,
    add column removed_at timestamptz,
    add column watcher text,
    add column replay_lag_ms double precision;
create index targets_system_identifier_idx on targets (system_identifier);
comment on table targets is
    'One row is one watched PostgreSQL server, or one source of history without a server.';
comment on column targets.kind is
    'server: collected from; log: only its log was read; import: only history was imported.';
comment on column targets.paused_at is 'Since when nothing is collected from it; null: it is.';
comment on column targets.interval_seconds is 'Overrides the setting of all targets; so the next two.';
comment on column targets.databases is 'Names or LIKE patterns of the databases watched; null: all.';
comment on column targets.failures is 'Failures in a row; 0 after a success.';
comment on column targets.retry_at is 'The circuit is open until then: nothing is tried before.';
comment on column targets.clock_skew_ms is 'Its clock minus ours at the last reading.';
comment on column targets.log_problem is 'Why its log cannot be read; null when it can.';
comment on column targets.removed_at is 'Since when it is no longer watched; its history is kept.';
comment on column targets.watcher is
    'The worker process that collects from it (host, process id, a random part); one that reads another name here ends.';
comment on column targets.replay_lag_ms is
    'How far a replica is behind its primary in replaying; null on a primary, and where it is not known.';

alter table snapshots add column unwatched bigint[] not null default '{}';
comment on column snapshots.unwatched is
    'dbids whose entries the database filter left out: what they counted until they are watched is not ours.';

alter table databases
    add column catalog_read_at timestamptz,
    add column tried_at timestamptz,
    add column problem text;
comment on column databases.tried_at is 'When reading its catalog was last tried.';
comment on column databases.problem is 'Why the database cannot be read; null when it can.';

alter table queries
    add column identity text not null default 'queryid'
        constraint queries_identity_check check (identity in ('queryid', 'fingerprint')),
    add column tables text[];
create index queries_target_fingerprint_idx on queries (target_id, fingerprint);
comment on column queries.identity is
    'fingerprint: no server gave a queryid, so queryid is made from the fingerprint.';
comment on column queries.tables is 'Tables the text names, as written; null when not parsable.';

alter table executions
    alter column plan_id drop not null,
    add column source text not null default 'auto_explain'
        constraint executions_source_check check (source in ('auto_explain', 'log_min_duration')),
    add column datname text,
    add column queryid bigint,
    add column fingerprint text,
    add column threshold_ms double precision,
    add column sample_rate double precision
        constraint executions_sample_rate_check check (sample_rate > 0 and sample_rate <= 1),
    add column parameters jsonb;
create index executions_fingerprint_idx on executions (target_id, datname, fingerprint, logged_at);
comment on table executions is
    'One row is one execution that the log shows: of auto_explain or log_min_duration_statement.';
comment on column executions.threshold_ms is
    'Shorter executions were not logged at this rate; 0: all were; null: not known.';
comment on column executions.sample_rate is
    'Probability that an execution of this duration was logged; null: not known.';
comment on column executions.parameters is
    'Values of $1, $2, ... as PGADVISOR_PARAMETERS keeps them: type, length, hash, bucket or value.';

create table logged_statements (
    target_id integer not null constraint logged_statements_target_id_fkey
        references targets on delete cascade,
    datname text not null,
    fingerprint text not null,
    query text not null,
    kind text,
    queryid bigint,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    constraint logged_statements_pkey primary key (target_id, datname, fingerprint)
);
comment on table logged_statements is
    'One row is one statement that the log shows, without its values; its executions are in executions.';
comment on column logged_statements.fingerprint is
    'libpg_query fingerprint, or x and 15 digits over the masked text when it cannot be parsed.';

create table plan_hours (
    target_id integer not null,
    plan_id bigint not null constraint plan_hours_plan_id_fkey references plans on delete cascade,
    hour timestamptz not null,
    executions bigint not null,
    total_duration_ms double precision not null,
    max_duration_ms double precision not null,
    constraint plan_hours_pkey primary key (plan_id, hour, target_id)
);
create index plan_hours_hour_idx on plan_hours (hour);
comment on table plan_hours is 'One row is what the log showed of one plan shape in one hour.';

create table target_checks (
    target_id integer not null constraint target_checks_target_id_fkey
        references targets on delete cascade,
    database_name text not null,
    name text not null,
    status text not null constraint target_checks_status_check
        check (status in ('ok', 'warning', 'error')),
    message text not null,
    remedy text not null default '',
    checked_at timestamptz not null,
    constraint target_checks_pkey primary key (target_id, database_name, name)
);
comment on table target_checks is
    'One row is one check of a target (rights, extensions, settings, log) and what mends it.';

create table parameter_salt (
    salt bytea not null,
    made_at timestamptz not null
);
create unique index parameter_salt_one_row_idx on parameter_salt ((true));
comment on table parameter_salt is 'The one row is the secret that values are hashed with.';

create table imported_spans (
    id bigint generated always as identity primary key,
    target_id integer not null constraint imported_spans_target_id_fkey
        references targets on delete cascade,
    dbid bigint not null,
    since timestamptz not null,
    until timestamptz not null,
    source text not null,
    rows_read bigint not null,
    imported_at timestamptz not null,
    constraint imported_spans_order check (since < until)
);
create index imported_spans_target_idx on imported_spans (target_id, dbid, until);
comment on table imported_spans is
    'One row is a span of history of one database that was imported, not collected: covered time too.';

create table target_hours (
    target_id integer not null constraint target_hours_target_id_fkey references targets on delete cascade,
    hour timestamptz not null,
    covered_seconds double precision not null,
    snapshots integer not null,
    constraint target_hours_pkey primary key (target_id, hour)
);
comment on table target_hours is
    'One row is how much of an hour intervals of a target cover: what the counters of '
    'statement_hours have to be divided by. After an outage of over 12 hours it may be more than an hour.';
-- what the snapshots of an older store say, divided as its hours are
insert into target_hours (target_id, hour, covered_seconds, snapshots)
select s.target_id, h.hour,
       sum(extract(epoch from least(s.captured_at, h.hour + interval '1 hour')
                              - greatest(s.since, h.hour))), count(*)
from snapshots s
cross join lateral generate_series(date_trunc('hour', s.since, 'UTC'),
                                   s.captured_at - interval '1 microsecond', interval '1 hour') as h (hour)
where s.since is not null
group by 1, 2;

-- The baseline is updated with every snapshot: the free part of a page takes the new versions of its
-- rows, so that they stay in it and touch no index (HOT). The foreign key had no index behind it.
alter table statement_counters
    set (fillfactor = 45),
    drop constraint statement_counters_statement_id_fkey;

alter table database_intervals add column is_merged boolean not null default false;
create index database_intervals_unmerged_idx on database_intervals (target_id, until)
    where not is_merged;
comment on column database_intervals.is_merged is
    'The row is an hour, made of the intervals in it when they were past raw_retention; '
    'until - since is the time they covered.';
