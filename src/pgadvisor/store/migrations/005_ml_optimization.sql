-- What was found, advised, done and learnt: the six tables of the contract.

create table workload_patterns (
    id bigint generated always as identity primary key,
    target_id integer not null constraint workload_patterns_target_id_fkey
        references targets on delete cascade,
    database_name text not null,
    scope text not null default 'database' constraint workload_patterns_scope_check
        check (scope in ('database', 'query', 'table')),
    scope_name text not null default '',
    metric text not null default 'total_exec_time',
    pattern_type text not null constraint workload_patterns_pattern_type_check
        check (pattern_type in ('hourly_peak', 'daily_cycle', 'weekly_pattern', 'batch_job')),
    confidence double precision not null constraint workload_patterns_confidence_check
        check (confidence between 0 and 1),
    metadata jsonb not null default '{}',
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    detected_at timestamptz not null,
    constraint workload_patterns_order check (first_seen_at <= last_seen_at)
);
create index workload_patterns_scope_idx
    on workload_patterns (target_id, database_name, scope, scope_name, confidence desc);
comment on table workload_patterns is 'One row is a recurring pattern of a database, query or table.';
comment on column workload_patterns.metadata is
    'Period, peak hours, amplitude, p-value, time zone and the like.';

create table query_rewrite_suggestions (
    id bigint generated always as identity primary key,
    target_id integer not null constraint query_rewrite_suggestions_target_id_fkey
        references targets on delete cascade,
    database_name text not null,
    queryid bigint not null,
    fingerprint text,
    rule text not null,
    class text not null constraint query_rewrite_suggestions_class_check check (class in ('E', 'C', 'W')),
    original_sql text not null,
    suggested_sql text not null,
    reasoning text not null,
    proof jsonb not null default '{}',
    evidence_level text not null constraint query_rewrite_suggestions_evidence_level_check
        check (evidence_level in ('measured', 'predicted', 'costed', 'heuristic')),
    confidence_score double precision not null
        constraint query_rewrite_suggestions_confidence_score_check check (confidence_score between 0 and 1),
    estimated_improvement_percent double precision,
    improvement_low_percent double precision,
    improvement_high_percent double precision,
    feedback text constraint query_rewrite_suggestions_feedback_check
        check (feedback in ('useful', 'wrong', 'not_applicable')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint query_rewrite_suggestions_key unique (target_id, database_name, queryid, rule, suggested_sql),
    constraint query_rewrite_suggestions_interval check (improvement_low_percent <= improvement_high_percent)
);
comment on table query_rewrite_suggestions is 'One row is one rewrite of one query, with its proof.';
comment on column query_rewrite_suggestions.class is
    'E equivalent under proven preconditions, C needs consent, W concerns the workload.';

create table parameter_tuning_suggestions (
    id bigint generated always as identity primary key,
    target_id integer not null constraint parameter_tuning_suggestions_target_id_fkey
        references targets on delete cascade,
    database_name text not null,
    queryid bigint,
    parameter text not null,
    scope text not null constraint parameter_tuning_suggestions_scope_check
        check (scope in ('query', 'role', 'database', 'server', 'application')),
    scope_name text not null default '',
    current_value text,
    suggested_value text not null,
    reasoning text not null,
    evidence_level text not null constraint parameter_tuning_suggestions_evidence_level_check
        check (evidence_level in ('measured', 'predicted', 'costed', 'heuristic')),
    confidence_score double precision not null
        constraint parameter_tuning_suggestions_confidence_score_check check (confidence_score between 0 and 1),
    estimated_improvement_percent double precision,
    improvement_low_percent double precision,
    improvement_high_percent double precision,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint parameter_tuning_suggestions_key unique nulls not distinct
        (target_id, database_name, queryid, parameter, scope, scope_name)
);
comment on table parameter_tuning_suggestions is
    'One row is one value advised for one parameter, for a query, role, database or server.';

create table optimization_recommendations (
    id bigint generated always as identity primary key,
    target_id integer not null constraint optimization_recommendations_target_id_fkey
        references targets on delete cascade,
    database_name text not null,
    rule text not null,
    key text not null,
    title text not null,
    statement text not null,
    undo text not null,
    reasoning text not null,
    queryids bigint[] not null,
    effects jsonb not null,
    evidence_level text not null constraint optimization_recommendations_evidence_level_check
        check (evidence_level in ('measured', 'predicted', 'costed', 'heuristic')),
    evidence jsonb not null default '{}',
    risk jsonb not null default '{}',
    factors jsonb not null,
    confidence_score double precision not null
        constraint optimization_recommendations_confidence_score_check check (confidence_score between 0 and 1),
    estimated_improvement_percent double precision not null,
    improvement_low_percent double precision not null,
    improvement_high_percent double precision not null,
    frequency double precision not null,
    current_impact double precision not null,
    urgency_score double precision not null constraint optimization_recommendations_urgency_score_check
        check (urgency_score >= 0),
    roi_score double precision not null generated always as
        (confidence_score * estimated_improvement_percent * urgency_score) stored,
    state text not null default 'proposed' constraint optimization_recommendations_state_check
        check (state in ('proposed', 'accepted', 'rejected', 'applied', 'verified', 'reverted', 'expired')),
    state_reason text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint optimization_recommendations_key unique (target_id, database_name, key),
    constraint optimization_recommendations_interval
        check (improvement_low_percent <= improvement_high_percent)
);
create index optimization_recommendations_rank_idx
    on optimization_recommendations (roi_score desc, id) where state = 'proposed';
create index optimization_recommendations_queryids_idx
    on optimization_recommendations using gin (queryids);
comment on table optimization_recommendations is
    'One row is one change we advise; the same change found again updates its row.';
comment on column optimization_recommendations.frequency is 'Calls per hour of the queries concerned.';
comment on column optimization_recommendations.current_impact is 'Their mean execution time in seconds.';
comment on column optimization_recommendations.urgency_score is
    'frequency x current_impact: seconds of database time an hour.';
comment on column optimization_recommendations.roi_score is
    'confidence x improvement percent x urgency; a hundredth of it is seconds saved an hour.';

create table optimization_implementations (
    id bigint generated always as identity primary key,
    recommendation_id bigint not null constraint optimization_implementations_recommendation_id_fkey
        references optimization_recommendations on delete cascade,
    status text not null default 'pending' constraint optimization_implementations_status_check
        check (status in ('pending', 'implemented', 'measuring', 'verified', 'no_change', 'regressed',
            'not_enough_data', 'reverted')),
    implemented_at timestamptz,
    reverted_at timestamptz,
    pre_metrics jsonb not null default '{}',
    post_metrics jsonb,
    predicted_improvement_percent double precision,
    actual_improvement_percent double precision,
    actual_low_percent double precision,
    actual_high_percent double precision,
    notes text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint optimization_implementations_interval check (actual_low_percent <= actual_high_percent)
);
create index optimization_implementations_recommendation_idx
    on optimization_implementations (recommendation_id);
comment on table optimization_implementations is
    'One row is one time a recommendation was carried out, with metrics before and after.';
comment on column optimization_implementations.actual_improvement_percent is
    'Measured; negative when the queries got slower.';

create table query_performance_models (
    id bigint generated always as identity primary key,
    target_id integer constraint query_performance_models_target_id_fkey
        references targets on delete cascade,
    database_name text not null,
    model_type text not null constraint query_performance_models_model_type_check check (model_type in
        ('baseline', 'linear_regression', 'decision_tree', 'random_forest', 'xgboost')),
    version integer not null,
    feature_names text[] not null,
    feature_importance jsonb not null default '{}',
    r_squared double precision,
    scores jsonb not null default '{}',
    training_rows bigint not null,
    trained_since timestamptz not null,
    trained_until timestamptz not null,
    artifact bytea not null,
    artifact_format text not null constraint query_performance_models_artifact_format_check
        check (artifact_format in ('xgboost', 'skops', 'json')),
    is_active boolean not null default false,
    created_at timestamptz not null,
    constraint query_performance_models_version unique nulls not distinct
        (target_id, database_name, model_type, version)
);
create unique index query_performance_models_active_idx
    on query_performance_models (target_id, database_name) nulls not distinct where is_active;
comment on table query_performance_models is
    'One row is one trained model: features, scores on held-out data, version, artifact.';
