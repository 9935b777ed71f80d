-- Activity samples, deviations from what was expected, metrics frozen at a moment, and why a rule
-- stayed silent.

create table activity_samples (
    target_id integer not null constraint activity_samples_target_id_fkey
        references targets on delete cascade,
    captured_at timestamptz not null,
    datname text,
    usename text,
    state text,
    wait_event_type text,
    wait_event text,
    queryid bigint,
    backends integer not null,
    longest_ms double precision
);
create index activity_samples_idx on activity_samples (target_id, captured_at);
comment on table activity_samples is
    'One row is how many client backends were in one state at one moment (pg_stat_activity).';

create table running_statements (
    target_id integer not null constraint running_statements_target_id_fkey
        references targets on delete cascade,
    pid integer not null,
    started_at timestamptz not null,
    last_seen_at timestamptz not null,
    datname text,
    usename text,
    queryid bigint not null,
    query text not null,
    constraint running_statements_pkey primary key (target_id, pid, started_at),
    constraint running_statements_order check (started_at <= last_seen_at)
);
create index running_statements_idx on running_statements (target_id, datname, last_seen_at);
comment on table running_statements is
    'One row is one long execution seen while it ran; pg_stat_statements never counts a cancelled one.';

create table anomalies (
    id bigint generated always as identity primary key,
    target_id integer not null constraint anomalies_target_id_fkey references targets on delete cascade,
    database_name text,
    queryid bigint,
    metric text not null,
    since timestamptz not null,
    until timestamptz not null,
    actual double precision not null,
    expected double precision not null,
    expected_low double precision not null,
    expected_high double precision not null,
    causes jsonb not null default '[]',
    detected_at timestamptz not null,
    constraint anomalies_order check (since < until)
);
create index anomalies_target_idx on anomalies (target_id, since);
comment on table anomalies is 'One row is a span in which a metric left its expected interval.';

create table performance_snapshots (
    id bigint generated always as identity primary key,
    target_id integer not null constraint performance_snapshots_target_id_fkey
        references targets on delete cascade,
    database_name text not null,
    queryid bigint,
    since timestamptz not null,
    until timestamptz not null,
    metrics jsonb not null,
    taken_at timestamptz not null
);
create index performance_snapshots_target_idx on performance_snapshots (target_id, queryid, taken_at);
comment on table performance_snapshots is
    'One row is the metrics of a query or database over a window, frozen for later comparison.';

create table advice_silences (
    target_id integer not null constraint advice_silences_target_id_fkey
        references targets on delete cascade,
    database_name text not null,
    queryid bigint not null,
    rule text not null,
    reason text not null,
    analyzed_at timestamptz not null,
    constraint advice_silences_pkey primary key (target_id, database_name, queryid, rule)
);
comment on table advice_silences is 'One row is why a rule advises nothing for a query.';
