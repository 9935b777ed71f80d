-- What the migrations add up to. Made by tests/store/schema.py with pg_dump; a test checks
-- that it is fresh. Change the migrations, not this file.


CREATE TABLE activity_samples (
    target_id integer NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    datname text,
    usename text,
    state text,
    wait_event_type text,
    wait_event text,
    queryid bigint,
    backends integer NOT NULL,
    longest_ms double precision
);

COMMENT ON TABLE activity_samples IS 'One row is how many client backends were in one state at one moment (pg_stat_activity).';

CREATE TABLE advice_silences (
    target_id integer NOT NULL,
    database_name text NOT NULL,
    queryid bigint NOT NULL,
    rule text NOT NULL,
    reason text NOT NULL,
    analyzed_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE advice_silences IS 'One row is why a rule advises nothing for a query.';

CREATE TABLE anomalies (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    database_name text,
    queryid bigint,
    metric text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    actual double precision NOT NULL,
    expected double precision NOT NULL,
    expected_low double precision NOT NULL,
    expected_high double precision NOT NULL,
    causes jsonb DEFAULT '[]'::jsonb NOT NULL,
    detected_at timestamp with time zone NOT NULL,
    CONSTRAINT anomalies_order CHECK ((since < until))
);

COMMENT ON TABLE anomalies IS 'One row is a span in which a metric left its expected interval.';

ALTER TABLE anomalies ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME anomalies_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE catalog_objects (
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    kind text NOT NULL,
    object text NOT NULL,
    definition jsonb NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone,
    CONSTRAINT catalog_objects_kind_check CHECK ((kind = ANY (ARRAY['table'::text, 'index'::text, 'foreign_key'::text, 'search_path'::text]))),
    CONSTRAINT catalog_objects_order CHECK (((until IS NULL) OR (since < until)))
);

COMMENT ON TABLE catalog_objects IS 'One row is one state of a table, index or foreign key over [since, until); current: until is null.';

COMMENT ON COLUMN catalog_objects.object IS 'oid of a table or index, table oid and name of a constraint.';

CREATE TABLE column_statistics (
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    table_oid bigint NOT NULL,
    attname text NOT NULL,
    null_frac real,
    avg_width integer,
    n_distinct real,
    correlation real,
    most_common_freqs real[],
    captured_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE column_statistics IS 'One row is what pg_stats said of a column last, without any value of the user''s.';

CREATE TABLE database_intervals (
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    statements integer NOT NULL,
    calls bigint NOT NULL,
    rows bigint NOT NULL,
    total_exec_time double precision NOT NULL,
    shared_blks_hit bigint NOT NULL,
    shared_blks_read bigint NOT NULL,
    temp_blks_written bigint NOT NULL,
    wal_bytes bigint NOT NULL
);

COMMENT ON TABLE database_intervals IS 'One row is what all statements of one database did over [since, until): the load.';

CREATE TABLE databases (
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    datname text NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    catalog_read_at timestamp with time zone,
    problem text
);

COMMENT ON TABLE databases IS 'One row is one database of a target (pg_database).';

COMMENT ON COLUMN databases.problem IS 'Why the database cannot be read; null when it can.';

CREATE TABLE executions (
    target_id integer NOT NULL,
    logged_at timestamp with time zone NOT NULL,
    plan_id bigint,
    duration_ms double precision NOT NULL,
    username text,
    application_name text,
    pid integer,
    source text DEFAULT 'auto_explain'::text NOT NULL,
    datname text,
    queryid bigint,
    fingerprint text,
    threshold_ms double precision,
    sample_rate double precision,
    parameters jsonb,
    CONSTRAINT executions_sample_rate_check CHECK (((sample_rate > (0)::double precision) AND (sample_rate <= (1)::double precision))),
    CONSTRAINT executions_source_check CHECK ((source = ANY (ARRAY['auto_explain'::text, 'log_min_duration'::text])))
)
PARTITION BY RANGE (logged_at);

COMMENT ON TABLE executions IS 'One row is one execution that the log shows: of auto_explain or log_min_duration_statement.';

COMMENT ON COLUMN executions.threshold_ms IS 'Shorter executions were not logged at this rate; 0: all were; null: not known.';

COMMENT ON COLUMN executions.sample_rate IS 'Probability that an execution of this duration was logged; null: not known.';

COMMENT ON COLUMN executions.parameters IS 'Values of $1, $2, ... as PGADVISOR_PARAMETERS keeps them: type, length, hash, bucket or value.';

CREATE TABLE gaps (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    reason text NOT NULL,
    statements integer DEFAULT 0 NOT NULL,
    CONSTRAINT gaps_order CHECK ((since <= until)),
    CONSTRAINT gaps_reason_check CHECK ((reason = ANY (ARRAY['first_sight'::text, 'reset'::text, 'eviction'::text, 'restart'::text, 'other_cluster'::text, 'clock'::text])))
);

COMMENT ON TABLE gaps IS 'One row is a span in which calls may have happened that no counter of the target shows.';

ALTER TABLE gaps ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME gaps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE imported_spans (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    source text NOT NULL,
    rows_read bigint NOT NULL,
    imported_at timestamp with time zone NOT NULL,
    CONSTRAINT imported_spans_order CHECK ((since < until))
);

COMMENT ON TABLE imported_spans IS 'One row is a span of history of one database that was imported, not collected: covered time too.';

ALTER TABLE imported_spans ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME imported_spans_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE log_positions (
    target_id integer NOT NULL,
    source text NOT NULL,
    "position" jsonb NOT NULL,
    lines bigint DEFAULT 0 NOT NULL,
    skipped jsonb DEFAULT '{}'::jsonb NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE log_positions IS 'One row is how far one log was read; saved in the transaction that saves its plans.';

COMMENT ON COLUMN log_positions.skipped IS 'Entries left out so far, by reason.';

CREATE TABLE logged_statements (
    target_id integer NOT NULL,
    datname text NOT NULL,
    fingerprint text NOT NULL,
    query text NOT NULL,
    kind text,
    queryid bigint,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE logged_statements IS 'One row is one statement that the log shows, without its values; its executions are in executions.';

COMMENT ON COLUMN logged_statements.fingerprint IS 'libpg_query fingerprint, or x and 15 digits over the masked text when it cannot be parsed.';

CREATE TABLE optimization_implementations (
    id bigint NOT NULL,
    recommendation_id bigint NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    implemented_at timestamp with time zone,
    reverted_at timestamp with time zone,
    pre_metrics jsonb DEFAULT '{}'::jsonb NOT NULL,
    post_metrics jsonb,
    predicted_improvement_percent double precision,
    actual_improvement_percent double precision,
    actual_low_percent double precision,
    actual_high_percent double precision,
    notes text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT optimization_implementations_interval CHECK ((actual_low_percent <= actual_high_percent)),
    CONSTRAINT optimization_implementations_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'implemented'::text, 'measuring'::text, 'verified'::text, 'no_change'::text, 'regressed'::text, 'not_enough_data'::text, 'reverted'::text])))
);

COMMENT ON TABLE optimization_implementations IS 'One row is one time a recommendation was carried out, with metrics before and after.';

COMMENT ON COLUMN optimization_implementations.actual_improvement_percent IS 'Measured; negative when the queries got slower.';

ALTER TABLE optimization_implementations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME optimization_implementations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE optimization_recommendations (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    database_name text NOT NULL,
    rule text NOT NULL,
    key text NOT NULL,
    title text NOT NULL,
    statement text NOT NULL,
    undo text NOT NULL,
    reasoning text NOT NULL,
    queryids bigint[] NOT NULL,
    effects jsonb NOT NULL,
    evidence_level text NOT NULL,
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL,
    risk jsonb DEFAULT '{}'::jsonb NOT NULL,
    factors jsonb NOT NULL,
    confidence_score double precision NOT NULL,
    estimated_improvement_percent double precision CONSTRAINT optimization_recommendation_estimated_improvement_perc_not_null NOT NULL,
    improvement_low_percent double precision NOT NULL,
    improvement_high_percent double precision NOT NULL,
    frequency double precision NOT NULL,
    current_impact double precision NOT NULL,
    urgency_score double precision NOT NULL,
    roi_score double precision GENERATED ALWAYS AS (((confidence_score * estimated_improvement_percent) * urgency_score)) STORED NOT NULL,
    state text DEFAULT 'proposed'::text NOT NULL,
    state_reason text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT optimization_recommendations_confidence_score_check CHECK (((confidence_score >= (0)::double precision) AND (confidence_score <= (1)::double precision))),
    CONSTRAINT optimization_recommendations_evidence_level_check CHECK ((evidence_level = ANY (ARRAY['measured'::text, 'predicted'::text, 'costed'::text, 'heuristic'::text]))),
    CONSTRAINT optimization_recommendations_interval CHECK ((improvement_low_percent <= improvement_high_percent)),
    CONSTRAINT optimization_recommendations_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'accepted'::text, 'rejected'::text, 'applied'::text, 'verified'::text, 'reverted'::text, 'expired'::text]))),
    CONSTRAINT optimization_recommendations_urgency_score_check CHECK ((urgency_score >= (0)::double precision))
);

COMMENT ON TABLE optimization_recommendations IS 'One row is one change we advise; the same change found again updates its row.';

COMMENT ON COLUMN optimization_recommendations.frequency IS 'Calls per hour of the queries concerned.';

COMMENT ON COLUMN optimization_recommendations.current_impact IS 'Their mean execution time in seconds.';

COMMENT ON COLUMN optimization_recommendations.urgency_score IS 'frequency x current_impact: seconds of database time an hour.';

COMMENT ON COLUMN optimization_recommendations.roi_score IS 'confidence x improvement percent x urgency; a hundredth of it is seconds saved an hour.';

ALTER TABLE optimization_recommendations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME optimization_recommendations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE parameter_salt (
    salt bytea NOT NULL,
    made_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE parameter_salt IS 'The one row is the secret that values are hashed with.';

CREATE TABLE parameter_tuning_suggestions (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    database_name text NOT NULL,
    queryid bigint,
    parameter text NOT NULL,
    scope text NOT NULL,
    scope_name text DEFAULT ''::text NOT NULL,
    current_value text,
    suggested_value text NOT NULL,
    reasoning text NOT NULL,
    evidence_level text NOT NULL,
    confidence_score double precision NOT NULL,
    estimated_improvement_percent double precision,
    improvement_low_percent double precision,
    improvement_high_percent double precision,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT parameter_tuning_suggestions_confidence_score_check CHECK (((confidence_score >= (0)::double precision) AND (confidence_score <= (1)::double precision))),
    CONSTRAINT parameter_tuning_suggestions_evidence_level_check CHECK ((evidence_level = ANY (ARRAY['measured'::text, 'predicted'::text, 'costed'::text, 'heuristic'::text]))),
    CONSTRAINT parameter_tuning_suggestions_scope_check CHECK ((scope = ANY (ARRAY['query'::text, 'role'::text, 'database'::text, 'server'::text, 'application'::text])))
);

COMMENT ON TABLE parameter_tuning_suggestions IS 'One row is one value advised for one parameter, for a query, role, database or server.';

ALTER TABLE parameter_tuning_suggestions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME parameter_tuning_suggestions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE performance_snapshots (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    database_name text NOT NULL,
    queryid bigint,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    metrics jsonb NOT NULL,
    taken_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE performance_snapshots IS 'One row is the metrics of a query or database over a window, frozen for later comparison.';

ALTER TABLE performance_snapshots ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME performance_snapshots_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE plan_hours (
    target_id integer NOT NULL,
    plan_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
    executions bigint NOT NULL,
    total_duration_ms double precision NOT NULL,
    max_duration_ms double precision NOT NULL
);

COMMENT ON TABLE plan_hours IS 'One row is what the log showed of one plan shape in one hour.';

CREATE TABLE plans (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    datname text NOT NULL,
    queryid bigint,
    fingerprint text,
    shape text NOT NULL,
    source text NOT NULL,
    plan jsonb NOT NULL,
    extra jsonb DEFAULT '{}'::jsonb NOT NULL,
    example_query text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    executions bigint DEFAULT 0 NOT NULL,
    total_duration_ms double precision DEFAULT 0 NOT NULL,
    max_duration_ms double precision,
    CONSTRAINT plans_source_check CHECK ((source = ANY (ARRAY['auto_explain'::text, 'generic_plan'::text])))
);

COMMENT ON TABLE plans IS 'One row is one plan shape of one query: same nodes, relations, indexes; newest example kept.';

COMMENT ON COLUMN plans.queryid IS 'Null where the log line carried none; joined by fingerprint then.';

COMMENT ON COLUMN plans.shape IS '16 hex digits over the plan tree without costs, rows, constants.';

COMMENT ON COLUMN plans.executions IS 'Executions seen in logs; 0 for a plan we asked for ourselves.';

ALTER TABLE plans ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME plans_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE queries (
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    queryid bigint NOT NULL,
    query text,
    fingerprint text,
    kind text,
    is_own boolean DEFAULT false NOT NULL,
    unreadable text,
    first_seen_at timestamp with time zone NOT NULL,
    identity text DEFAULT 'queryid'::text NOT NULL,
    tables text[],
    CONSTRAINT queries_identity_check CHECK ((identity = ANY (ARRAY['queryid'::text, 'fingerprint'::text])))
);

COMMENT ON TABLE queries IS 'One row is the text that goes with a queryid in one database.';

COMMENT ON COLUMN queries.query IS 'Text as pg_stat_statements normalized it; null while hidden.';

COMMENT ON COLUMN queries.fingerprint IS 'libpg_query fingerprint, 16 hex digits; null when not parsable.';

COMMENT ON COLUMN queries.kind IS 'select, insert, update, delete, merge, utility.';

COMMENT ON COLUMN queries.is_own IS 'True for a statement of pgadvisor itself; left out everywhere.';

COMMENT ON COLUMN queries.unreadable IS 'Why the text cannot be used: hidden, truncated, not parsable.';

COMMENT ON COLUMN queries.identity IS 'fingerprint: no server gave a queryid, so queryid is made from the fingerprint.';

COMMENT ON COLUMN queries.tables IS 'Tables the text names, as written; null when not parsable.';

CREATE TABLE query_performance_models (
    id bigint NOT NULL,
    target_id integer,
    database_name text NOT NULL,
    model_type text NOT NULL,
    version integer NOT NULL,
    feature_names text[] NOT NULL,
    feature_importance jsonb DEFAULT '{}'::jsonb NOT NULL,
    r_squared double precision,
    scores jsonb DEFAULT '{}'::jsonb NOT NULL,
    training_rows bigint NOT NULL,
    trained_since timestamp with time zone NOT NULL,
    trained_until timestamp with time zone NOT NULL,
    artifact bytea NOT NULL,
    artifact_format text NOT NULL,
    is_active boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT query_performance_models_artifact_format_check CHECK ((artifact_format = ANY (ARRAY['xgboost'::text, 'skops'::text, 'json'::text]))),
    CONSTRAINT query_performance_models_model_type_check CHECK ((model_type = ANY (ARRAY['baseline'::text, 'linear_regression'::text, 'decision_tree'::text, 'random_forest'::text, 'xgboost'::text])))
);

COMMENT ON TABLE query_performance_models IS 'One row is one trained model: features, scores on held-out data, version, artifact.';

ALTER TABLE query_performance_models ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME query_performance_models_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE query_rewrite_suggestions (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    database_name text NOT NULL,
    queryid bigint NOT NULL,
    fingerprint text,
    rule text NOT NULL,
    class text NOT NULL,
    original_sql text NOT NULL,
    suggested_sql text NOT NULL,
    reasoning text NOT NULL,
    proof jsonb DEFAULT '{}'::jsonb NOT NULL,
    evidence_level text NOT NULL,
    confidence_score double precision NOT NULL,
    estimated_improvement_percent double precision,
    improvement_low_percent double precision,
    improvement_high_percent double precision,
    feedback text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT query_rewrite_suggestions_class_check CHECK ((class = ANY (ARRAY['E'::text, 'C'::text, 'W'::text]))),
    CONSTRAINT query_rewrite_suggestions_confidence_score_check CHECK (((confidence_score >= (0)::double precision) AND (confidence_score <= (1)::double precision))),
    CONSTRAINT query_rewrite_suggestions_evidence_level_check CHECK ((evidence_level = ANY (ARRAY['measured'::text, 'predicted'::text, 'costed'::text, 'heuristic'::text]))),
    CONSTRAINT query_rewrite_suggestions_feedback_check CHECK ((feedback = ANY (ARRAY['useful'::text, 'wrong'::text, 'not_applicable'::text]))),
    CONSTRAINT query_rewrite_suggestions_interval CHECK ((improvement_low_percent <= improvement_high_percent))
);

COMMENT ON TABLE query_rewrite_suggestions IS 'One row is one rewrite of one query, with its proof.';

COMMENT ON COLUMN query_rewrite_suggestions.class IS 'E equivalent under proven preconditions, C needs consent, W concerns the workload.';

ALTER TABLE query_rewrite_suggestions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME query_rewrite_suggestions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE relation_statistics (
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    oid bigint NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    statistics jsonb NOT NULL,
    CONSTRAINT relation_statistics_kind_check CHECK ((kind = ANY (ARRAY['table'::text, 'index'::text])))
);

COMMENT ON TABLE relation_statistics IS 'One row is the cumulative counters and sizes of a table or index; written when they changed.';

CREATE TABLE roles (
    target_id integer NOT NULL,
    userid bigint NOT NULL,
    rolname text NOT NULL
);

COMMENT ON TABLE roles IS 'One row is one role of a target (pg_roles).';

CREATE TABLE running_statements (
    target_id integer NOT NULL,
    pid integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    datname text,
    usename text,
    queryid bigint NOT NULL,
    query text NOT NULL,
    CONSTRAINT running_statements_order CHECK ((started_at <= last_seen_at))
);

COMMENT ON TABLE running_statements IS 'One row is one long execution seen while it ran; pg_stat_statements never counts a cancelled one.';

CREATE TABLE schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE schema_migrations IS 'One row is one migration that was applied.';

CREATE TABLE settings (
    target_id integer NOT NULL,
    name text NOT NULL,
    setting text NOT NULL,
    unit text,
    source text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone
);

COMMENT ON TABLE settings IS 'One row is one value of a setting over [since, until).';

CREATE TABLE snapshots (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    captured_at timestamp with time zone NOT NULL,
    since timestamp with time zone,
    system_identifier text NOT NULL,
    postmaster_start_at timestamp with time zone NOT NULL,
    stats_reset timestamp with time zone,
    dealloc bigint,
    extension_version text,
    statements integer NOT NULL,
    hidden integer NOT NULL,
    hidden_exec_time double precision NOT NULL,
    CONSTRAINT snapshots_order CHECK (((since IS NULL) OR (since < captured_at)))
);

COMMENT ON TABLE snapshots IS 'One row is one reading of pg_stat_statements; the newest id is the baseline, whatever the clock said.';

COMMENT ON COLUMN snapshots.since IS 'Start of the interval it closes; null for a first reading.';

ALTER TABLE snapshots ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME snapshots_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE statement_counters (
    target_id integer NOT NULL,
    statement_id bigint NOT NULL,
    min_exec_time double precision NOT NULL,
    max_exec_time double precision NOT NULL,
    stats_since timestamp with time zone,
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
    parallel_workers_launched bigint
)
WITH (fillfactor='60');

COMMENT ON TABLE statement_counters IS 'One row is an entry of the last snapshot, cumulative: the baseline of the next interval.';

CREATE TABLE statement_deltas (
    target_id integer NOT NULL,
    statement_id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
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
    CONSTRAINT statement_deltas_not_negative CHECK (((calls >= 0) AND (total_exec_time >= (0)::double precision))),
    CONSTRAINT statement_deltas_order CHECK ((since < until))
)
PARTITION BY RANGE (until);

COMMENT ON TABLE statement_deltas IS 'One row is what one statement did over [since, until); none where nothing happened.';

CREATE TABLE statement_hours (
    target_id integer NOT NULL,
    statement_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
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
    parallel_workers_launched bigint
)
PARTITION BY RANGE (hour);

COMMENT ON TABLE statement_hours IS 'One row is what one statement did in the hour that begins at "hour"; equals the sum of its deltas, an interval across hours is divided in proportion.';

CREATE TABLE statements (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    userid bigint NOT NULL,
    queryid bigint NOT NULL,
    toplevel boolean NOT NULL
);

COMMENT ON TABLE statements IS 'One row is one entry key of pg_stat_statements (pgssHashKey).';

ALTER TABLE statements ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME statements_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE target_checks (
    target_id integer NOT NULL,
    database_name text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    message text NOT NULL,
    remedy text DEFAULT ''::text NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    CONSTRAINT target_checks_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'warning'::text, 'error'::text])))
);

COMMENT ON TABLE target_checks IS 'One row is one check of a target (rights, extensions, settings, log) and what mends it.';

CREATE TABLE targets (
    id integer NOT NULL,
    name text NOT NULL,
    conninfo text NOT NULL,
    system_identifier text,
    server_version_num integer,
    in_recovery boolean,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone,
    last_error text,
    last_error_at timestamp with time zone,
    kind text DEFAULT 'server'::text NOT NULL,
    paused_at timestamp with time zone,
    interval_seconds double precision,
    activity_interval_seconds double precision,
    catalog_interval_seconds double precision,
    databases text[],
    excluded_databases text[] DEFAULT '{}'::text[] NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone,
    clock_skew_ms double precision,
    log_problem text,
    CONSTRAINT targets_activity_interval_seconds_check CHECK ((activity_interval_seconds > (0)::double precision)),
    CONSTRAINT targets_catalog_interval_seconds_check CHECK ((catalog_interval_seconds > (0)::double precision)),
    CONSTRAINT targets_conninfo_no_password CHECK ((conninfo !~* 'password\s*='::text)),
    CONSTRAINT targets_interval_seconds_check CHECK ((interval_seconds > (0)::double precision)),
    CONSTRAINT targets_kind_check CHECK ((kind = ANY (ARRAY['server'::text, 'log'::text, 'import'::text])))
);

COMMENT ON TABLE targets IS 'One row is one watched PostgreSQL server, or one source of history without a server.';

COMMENT ON COLUMN targets.conninfo IS 'libpq connection string without a password.';

COMMENT ON COLUMN targets.last_error IS 'Why the last attempt to read it failed; null after a success.';

COMMENT ON COLUMN targets.kind IS 'server: collected from; log: only its log was read; import: only history was imported.';

COMMENT ON COLUMN targets.paused_at IS 'Since when nothing is collected from it; null: it is.';

COMMENT ON COLUMN targets.interval_seconds IS 'Overrides the setting of all targets; so the next two.';

COMMENT ON COLUMN targets.databases IS 'Names or LIKE patterns of the databases watched; null: all.';

COMMENT ON COLUMN targets.failures IS 'Failures in a row; 0 after a success.';

COMMENT ON COLUMN targets.retry_at IS 'The circuit is open until then: nothing is tried before.';

COMMENT ON COLUMN targets.clock_skew_ms IS 'Its clock minus ours at the last reading.';

COMMENT ON COLUMN targets.log_problem IS 'Why its log cannot be read; null when it can.';

ALTER TABLE targets ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME targets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE unexplained (
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    queryid bigint NOT NULL,
    reason text NOT NULL,
    tried_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE unexplained IS 'One row is a query that the planner gives us no plan for, and why.';

CREATE TABLE workload_patterns (
    id bigint NOT NULL,
    target_id integer NOT NULL,
    database_name text NOT NULL,
    scope text DEFAULT 'database'::text NOT NULL,
    scope_name text DEFAULT ''::text NOT NULL,
    metric text DEFAULT 'total_exec_time'::text NOT NULL,
    pattern_type text NOT NULL,
    confidence double precision NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    detected_at timestamp with time zone NOT NULL,
    CONSTRAINT workload_patterns_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT workload_patterns_order CHECK ((first_seen_at <= last_seen_at)),
    CONSTRAINT workload_patterns_pattern_type_check CHECK ((pattern_type = ANY (ARRAY['hourly_peak'::text, 'daily_cycle'::text, 'weekly_pattern'::text, 'batch_job'::text]))),
    CONSTRAINT workload_patterns_scope_check CHECK ((scope = ANY (ARRAY['database'::text, 'query'::text, 'table'::text])))
);

COMMENT ON TABLE workload_patterns IS 'One row is a recurring pattern of a database, query or table.';

COMMENT ON COLUMN workload_patterns.metadata IS 'Period, peak hours, amplitude, p-value, time zone and the like.';

ALTER TABLE workload_patterns ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME workload_patterns_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY advice_silences
    ADD CONSTRAINT advice_silences_pkey PRIMARY KEY (target_id, database_name, queryid, rule);

ALTER TABLE ONLY anomalies
    ADD CONSTRAINT anomalies_pkey PRIMARY KEY (id);

ALTER TABLE ONLY catalog_objects
    ADD CONSTRAINT catalog_objects_pkey PRIMARY KEY (target_id, dbid, kind, object, since);

ALTER TABLE ONLY column_statistics
    ADD CONSTRAINT column_statistics_pkey PRIMARY KEY (target_id, dbid, table_oid, attname);

ALTER TABLE ONLY databases
    ADD CONSTRAINT databases_pkey PRIMARY KEY (target_id, dbid);

ALTER TABLE ONLY gaps
    ADD CONSTRAINT gaps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY imported_spans
    ADD CONSTRAINT imported_spans_pkey PRIMARY KEY (id);

ALTER TABLE ONLY log_positions
    ADD CONSTRAINT log_positions_pkey PRIMARY KEY (target_id, source);

ALTER TABLE ONLY logged_statements
    ADD CONSTRAINT logged_statements_pkey PRIMARY KEY (target_id, datname, fingerprint);

ALTER TABLE ONLY optimization_implementations
    ADD CONSTRAINT optimization_implementations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY optimization_recommendations
    ADD CONSTRAINT optimization_recommendations_key UNIQUE (target_id, database_name, key);

ALTER TABLE ONLY optimization_recommendations
    ADD CONSTRAINT optimization_recommendations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY parameter_tuning_suggestions
    ADD CONSTRAINT parameter_tuning_suggestions_key UNIQUE NULLS NOT DISTINCT (target_id, database_name, queryid, parameter, scope, scope_name);

ALTER TABLE ONLY parameter_tuning_suggestions
    ADD CONSTRAINT parameter_tuning_suggestions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY performance_snapshots
    ADD CONSTRAINT performance_snapshots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY plan_hours
    ADD CONSTRAINT plan_hours_pkey PRIMARY KEY (target_id, plan_id, hour);

ALTER TABLE ONLY plans
    ADD CONSTRAINT plans_key UNIQUE NULLS NOT DISTINCT (target_id, datname, queryid, fingerprint, shape, source);

ALTER TABLE ONLY plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (id);

ALTER TABLE ONLY queries
    ADD CONSTRAINT queries_pkey PRIMARY KEY (target_id, dbid, queryid);

ALTER TABLE ONLY query_performance_models
    ADD CONSTRAINT query_performance_models_pkey PRIMARY KEY (id);

ALTER TABLE ONLY query_performance_models
    ADD CONSTRAINT query_performance_models_version UNIQUE NULLS NOT DISTINCT (target_id, database_name, model_type, version);

ALTER TABLE ONLY query_rewrite_suggestions
    ADD CONSTRAINT query_rewrite_suggestions_key UNIQUE (target_id, database_name, queryid, rule, suggested_sql);

ALTER TABLE ONLY query_rewrite_suggestions
    ADD CONSTRAINT query_rewrite_suggestions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY relation_statistics
    ADD CONSTRAINT relation_statistics_pkey PRIMARY KEY (target_id, dbid, oid, captured_at);

ALTER TABLE ONLY roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (target_id, userid);

ALTER TABLE ONLY running_statements
    ADD CONSTRAINT running_statements_pkey PRIMARY KEY (target_id, pid, started_at);

ALTER TABLE ONLY schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (target_id, name, since);

ALTER TABLE ONLY snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY statement_counters
    ADD CONSTRAINT statement_counters_pkey PRIMARY KEY (target_id, statement_id);

ALTER TABLE ONLY statement_hours
    ADD CONSTRAINT statement_hours_pkey PRIMARY KEY (target_id, statement_id, hour);

ALTER TABLE ONLY statements
    ADD CONSTRAINT statements_key UNIQUE (target_id, dbid, userid, queryid, toplevel);

ALTER TABLE ONLY statements
    ADD CONSTRAINT statements_pkey PRIMARY KEY (id);

ALTER TABLE ONLY target_checks
    ADD CONSTRAINT target_checks_pkey PRIMARY KEY (target_id, database_name, name);

ALTER TABLE ONLY targets
    ADD CONSTRAINT targets_name_key UNIQUE (name);

ALTER TABLE ONLY targets
    ADD CONSTRAINT targets_pkey PRIMARY KEY (id);

ALTER TABLE ONLY unexplained
    ADD CONSTRAINT unexplained_pkey PRIMARY KEY (target_id, dbid, queryid);

ALTER TABLE ONLY workload_patterns
    ADD CONSTRAINT workload_patterns_pkey PRIMARY KEY (id);

CREATE INDEX activity_samples_idx ON activity_samples USING btree (target_id, captured_at);

CREATE INDEX anomalies_target_idx ON anomalies USING btree (target_id, since);

CREATE UNIQUE INDEX catalog_objects_current_idx ON catalog_objects USING btree (target_id, dbid, kind, object) WHERE (until IS NULL);

CREATE INDEX database_intervals_idx ON database_intervals USING btree (target_id, dbid, until);

CREATE INDEX executions_fingerprint_idx ON ONLY executions USING btree (target_id, datname, fingerprint, logged_at);

CREATE INDEX executions_plan_idx ON ONLY executions USING btree (plan_id, logged_at);

CREATE INDEX gaps_target_idx ON gaps USING btree (target_id, until);

CREATE INDEX imported_spans_target_idx ON imported_spans USING btree (target_id, dbid, until);

CREATE INDEX optimization_implementations_recommendation_idx ON optimization_implementations USING btree (recommendation_id);

CREATE INDEX optimization_recommendations_queryids_idx ON optimization_recommendations USING gin (queryids);

CREATE INDEX optimization_recommendations_rank_idx ON optimization_recommendations USING btree (roi_score DESC, id) WHERE (state = 'proposed'::text);

CREATE UNIQUE INDEX parameter_salt_one_row_idx ON parameter_salt USING btree ((true));

CREATE INDEX performance_snapshots_target_idx ON performance_snapshots USING btree (target_id, queryid, taken_at);

CREATE INDEX plan_hours_hour_idx ON plan_hours USING btree (hour);

CREATE INDEX plans_fingerprint_idx ON plans USING btree (target_id, datname, fingerprint);

CREATE INDEX queries_fingerprint_idx ON queries USING btree (fingerprint);

CREATE INDEX queries_target_fingerprint_idx ON queries USING btree (target_id, fingerprint);

CREATE UNIQUE INDEX query_performance_models_active_idx ON query_performance_models USING btree (target_id, database_name) NULLS NOT DISTINCT WHERE is_active;

CREATE INDEX running_statements_idx ON running_statements USING btree (target_id, datname, last_seen_at);

CREATE UNIQUE INDEX settings_current_idx ON settings USING btree (target_id, name) WHERE (until IS NULL);

CREATE INDEX snapshots_target_idx ON snapshots USING btree (target_id, id);

CREATE INDEX statement_deltas_statement_idx ON ONLY statement_deltas USING btree (target_id, statement_id, until);

CREATE INDEX statement_hours_hour_idx ON ONLY statement_hours USING btree (target_id, hour);

CREATE INDEX targets_system_identifier_idx ON targets USING btree (system_identifier);

CREATE INDEX workload_patterns_scope_idx ON workload_patterns USING btree (target_id, database_name, scope, scope_name, confidence DESC);

ALTER TABLE ONLY activity_samples
    ADD CONSTRAINT activity_samples_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY advice_silences
    ADD CONSTRAINT advice_silences_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY anomalies
    ADD CONSTRAINT anomalies_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY catalog_objects
    ADD CONSTRAINT catalog_objects_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY database_intervals
    ADD CONSTRAINT database_intervals_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY databases
    ADD CONSTRAINT databases_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY gaps
    ADD CONSTRAINT gaps_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY imported_spans
    ADD CONSTRAINT imported_spans_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY log_positions
    ADD CONSTRAINT log_positions_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY logged_statements
    ADD CONSTRAINT logged_statements_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY optimization_implementations
    ADD CONSTRAINT optimization_implementations_recommendation_id_fkey FOREIGN KEY (recommendation_id) REFERENCES optimization_recommendations(id) ON DELETE CASCADE;

ALTER TABLE ONLY optimization_recommendations
    ADD CONSTRAINT optimization_recommendations_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY parameter_tuning_suggestions
    ADD CONSTRAINT parameter_tuning_suggestions_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY performance_snapshots
    ADD CONSTRAINT performance_snapshots_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY plan_hours
    ADD CONSTRAINT plan_hours_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plans(id) ON DELETE CASCADE;

ALTER TABLE ONLY plans
    ADD CONSTRAINT plans_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY queries
    ADD CONSTRAINT queries_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY query_performance_models
    ADD CONSTRAINT query_performance_models_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY query_rewrite_suggestions
    ADD CONSTRAINT query_rewrite_suggestions_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY roles
    ADD CONSTRAINT roles_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY running_statements
    ADD CONSTRAINT running_statements_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY settings
    ADD CONSTRAINT settings_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY snapshots
    ADD CONSTRAINT snapshots_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY statement_counters
    ADD CONSTRAINT statement_counters_statement_id_fkey FOREIGN KEY (statement_id) REFERENCES statements(id) ON DELETE CASCADE;

ALTER TABLE ONLY statements
    ADD CONSTRAINT statements_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY target_checks
    ADD CONSTRAINT target_checks_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY unexplained
    ADD CONSTRAINT unexplained_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY workload_patterns
    ADD CONSTRAINT workload_patterns_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;
