-- Plans by shape, the executions they were seen in, and how far each server log has been read.

create table plans (
    id bigint generated always as identity primary key,
    target_id integer not null constraint plans_target_id_fkey references targets on delete cascade,
    datname text not null,
    queryid bigint,
    fingerprint text,
    shape text not null,
    source text not null constraint plans_source_check check (source in ('auto_explain', 'generic_plan')),
    plan jsonb not null,
    extra jsonb not null default '{}',
    example_query text not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    executions bigint not null default 0,
    total_duration_ms double precision not null default 0,
    max_duration_ms double precision,
    constraint plans_key unique nulls not distinct
        (target_id, datname, queryid, fingerprint, shape, source)
);
create index plans_fingerprint_idx on plans (target_id, datname, fingerprint);
comment on table plans is
    'One row is one plan shape of one query: same nodes, relations, indexes; newest example kept.';
comment on column plans.queryid is 'Null where the log line carried none; joined by fingerprint then.';
comment on column plans.shape is '16 hex digits over the plan tree without costs, rows, constants.';
comment on column plans.executions is 'Executions seen in logs; 0 for a plan we asked for ourselves.';

create table executions (
    target_id integer not null,
    logged_at timestamptz not null,
    plan_id bigint not null,
    duration_ms double precision not null,
    username text,
    application_name text,
    pid integer
) partition by range (logged_at);
create index executions_plan_idx on executions (plan_id, logged_at);
comment on table executions is 'One row is one execution that auto_explain logged.';

create table unexplained (
    target_id integer not null constraint unexplained_target_id_fkey references targets on delete cascade,
    dbid bigint not null,
    queryid bigint not null,
    reason text not null,
    tried_at timestamptz not null,
    constraint unexplained_pkey primary key (target_id, dbid, queryid)
);
comment on table unexplained is 'One row is a query that the planner gives us no plan for, and why.';

create table log_positions (
    target_id integer not null constraint log_positions_target_id_fkey
        references targets on delete cascade,
    source text not null,
    position jsonb not null,
    lines bigint not null default 0,
    skipped jsonb not null default '{}',
    updated_at timestamptz not null,
    constraint log_positions_pkey primary key (target_id, source)
);
comment on table log_positions is
    'One row is how far one log was read; saved in the transaction that saves its plans.';
comment on column log_positions.skipped is 'Entries left out so far, by reason.';
