-- What the migrations add up to. Made by tests/store/schema.py with pg_dump; a test checks
-- that it is fresh. Change the migrations, not this file.


CREATE SCHEMA pgadvisor;

COMMENT ON SCHEMA pgadvisor IS 'Views of the history: stable between releases, described in docs/views.md. Columns are only added.';

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
    removed_at timestamp with time zone,
    watcher text,
    replay_lag_ms double precision,
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

COMMENT ON COLUMN targets.removed_at IS 'Since when it is no longer watched; its history is kept.';

COMMENT ON COLUMN targets.watcher IS 'The worker process that collects from it (host, process id, a random part); one that reads another name here ends.';

COMMENT ON COLUMN targets.replay_lag_ms IS 'How far a replica is behind its primary in replaying; null on a primary, and where it is not known.';

CREATE VIEW pgadvisor.activity AS
 SELECT a.target_id,
    t.name AS target,
    a.captured_at,
    a.datname AS database_name,
    a.usename AS username,
    a.state,
    a.wait_event_type,
    a.wait_event,
    a.queryid,
    a.backends,
    a.longest_ms
   FROM (activity_samples a
     JOIN targets t ON ((t.id = a.target_id)));

COMMENT ON VIEW pgadvisor.activity IS 'One row is how many client backends were in one state, on one wait, in one query at one moment (pg_stat_activity).';

COMMENT ON COLUMN pgadvisor.activity.longest_ms IS 'How long the longest of them had been at it.';

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

CREATE TABLE databases (
    target_id integer NOT NULL,
    dbid bigint NOT NULL,
    datname text NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    catalog_read_at timestamp with time zone,
    tried_at timestamp with time zone,
    problem text
);

COMMENT ON TABLE databases IS 'One row is one database of a target (pg_database).';

COMMENT ON COLUMN databases.tried_at IS 'When reading its catalog was last tried.';

COMMENT ON COLUMN databases.problem IS 'Why the database cannot be read; null when it can.';

CREATE VIEW pgadvisor.catalog_changes AS
 SELECT o.target_id,
    t.name AS target,
    b.datname AS database_name,
    o.kind,
    (COALESCE(((o.definition ->> 'schema'::text) || '.'::text), ''::text) || COALESCE((o.definition ->> 'name'::text), o.kind)) AS object,
    e.changed_at,
    e.change,
        CASE
            WHEN (e.change <> 'dropped'::text) THEN o.definition
            ELSE NULL::jsonb
        END AS definition,
        CASE
            WHEN (e.change = 'dropped'::text) THEN o.definition
            ELSE o.previous
        END AS previous_definition
   FROM (((( SELECT c.target_id,
            c.dbid,
            c.kind,
            c.object,
            c.definition,
            c.since,
            c.until,
            lag(c.until) OVER w AS previous_until,
            lag(c.definition) OVER w AS previous,
            lead(c.since) OVER w AS next_since,
            min(c.since) OVER (PARTITION BY c.target_id, c.dbid) AS first_read_at
           FROM catalog_objects c
          WINDOW w AS (PARTITION BY c.target_id, c.dbid, c.kind, c.object ORDER BY c.since)) o
     CROSS JOIN LATERAL ( SELECT o.since AS changed_at,
            'changed'::text AS change
          WHERE (o.previous_until = o.since)
        UNION ALL
         SELECT o.since,
            'created'::text
          WHERE ((o.previous_until IS DISTINCT FROM o.since) AND (o.since > o.first_read_at))
        UNION ALL
         SELECT o.until,
            'dropped'::text
          WHERE ((o.until IS NOT NULL) AND (o.next_since IS DISTINCT FROM o.until))) e)
     JOIN targets t ON ((t.id = o.target_id)))
     JOIN databases b ON (((b.target_id = o.target_id) AND (b.dbid = o.dbid))));

COMMENT ON VIEW pgadvisor.catalog_changes IS 'One row is one table, index, foreign key or search_path that was created, changed or dropped between two readings of the catalog.';

COMMENT ON COLUMN pgadvisor.catalog_changes.kind IS 'table, index, foreign_key or search_path.';

COMMENT ON COLUMN pgadvisor.catalog_changes.object IS 'Its name, with the schema where it has one.';

COMMENT ON COLUMN pgadvisor.catalog_changes.changed_at IS 'When the new state was seen first.';

COMMENT ON COLUMN pgadvisor.catalog_changes.change IS 'created, changed or dropped.';

COMMENT ON COLUMN pgadvisor.catalog_changes.definition IS 'The new state; null when dropped.';

COMMENT ON COLUMN pgadvisor.catalog_changes.previous_definition IS 'The state before; null when created.';

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

CREATE TABLE target_hours (
    target_id integer NOT NULL,
    hour timestamp with time zone NOT NULL,
    covered_seconds double precision NOT NULL,
    snapshots integer NOT NULL
);

COMMENT ON TABLE target_hours IS 'One row is how much of an hour intervals of a target cover: what the counters of statement_hours have to be divided by. After an outage of over 12 hours it may be more than an hour.';

CREATE VIEW pgadvisor.coverage_hours AS
 SELECT h.target_id,
    t.name AS target,
    NULL::text AS database_name,
    h.hour,
    h.covered_seconds,
    'collected'::text AS source
   FROM (target_hours h
     JOIN targets t ON ((t.id = h.target_id)))
UNION ALL
 SELECT i.target_id,
    t.name AS target,
    b.datname AS database_name,
    n.hour,
    (EXTRACT(epoch FROM (LEAST(i.until, (n.hour + '01:00:00'::interval)) - GREATEST(i.since, n.hour))))::double precision AS covered_seconds,
    i.source
   FROM (((imported_spans i
     CROSS JOIN LATERAL generate_series(date_trunc('hour'::text, i.since, 'UTC'::text), (i.until - '00:00:00.000001'::interval), '01:00:00'::interval) n(hour))
     JOIN targets t ON ((t.id = i.target_id)))
     LEFT JOIN databases b ON (((b.target_id = i.target_id) AND (b.dbid = i.dbid))));

COMMENT ON VIEW pgadvisor.coverage_hours IS 'One row is how much of one hour (UTC) the history knows: divide counters by it, not by 3600.';

COMMENT ON COLUMN pgadvisor.coverage_hours.database_name IS 'Null: all databases of the target.';

COMMENT ON COLUMN pgadvisor.coverage_hours.covered_seconds IS 'Over 3600 after an outage: what ran in it counts in the hour in which it was read.';

COMMENT ON COLUMN pgadvisor.coverage_hours.source IS 'collected, or what it was imported from.';

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
    unwatched bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    CONSTRAINT snapshots_order CHECK (((since IS NULL) OR (since < captured_at)))
);

COMMENT ON TABLE snapshots IS 'One row is one reading of pg_stat_statements; the newest id is the baseline, whatever the clock said.';

COMMENT ON COLUMN snapshots.since IS 'Start of the interval it closes; null for a first reading.';

COMMENT ON COLUMN snapshots.unwatched IS 'dbids whose entries the database filter left out: what they counted until they are watched is not ours.';

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

CREATE VIEW pgadvisor.data_quality AS
 SELECT t.id AS target_id,
    t.name AS target,
    NULL::text AS database_name,
    f.item,
    f.reason,
    f.day,
    f.first_at,
    f.last_at,
    f.count,
    f.seconds
   FROM (targets t
     CROSS JOIN LATERAL ( SELECT ('gap-'::text || g.reason) AS item,
            g.reason,
            date_trunc('day'::text, g.until, 'UTC'::text) AS day,
            min(g.since) AS first_at,
            max(g.until) AS last_at,
            count(*) AS count,
            (sum(EXTRACT(epoch FROM (g.until - g.since))))::double precision AS seconds
           FROM gaps g
          WHERE (g.target_id = t.id)
          GROUP BY g.reason, (date_trunc('day'::text, g.until, 'UTC'::text))
        UNION ALL
         SELECT 'evictions'::text,
            'pg_stat_statements.max is too small'::text,
            date_trunc('day'::text, d.captured_at, 'UTC'::text) AS date_trunc,
            min(d.since) AS min,
            max(d.captured_at) AS max,
            (sum((d.dealloc - d.before)))::bigint AS sum,
            NULL::double precision
           FROM ( SELECT s.captured_at,
                    s.since,
                    s.dealloc,
                    lag(s.dealloc) OVER (PARTITION BY s.target_id ORDER BY s.id) AS before
                   FROM snapshots s
                  WHERE (s.target_id = t.id)) d
          WHERE (d.dealloc > d.before)
          GROUP BY (date_trunc('day'::text, d.captured_at, 'UTC'::text))
        UNION ALL
         SELECT 'log-skipped'::text,
            k.key,
            date_trunc('day'::text, l.updated_at, 'UTC'::text) AS date_trunc,
            NULL::timestamp with time zone,
            l.updated_at,
            (k.value)::bigint AS value,
            NULL::double precision
           FROM (log_positions l
             CROSS JOIN LATERAL jsonb_each_text(l.skipped) k(key, value))
          WHERE (l.target_id = t.id)
        UNION ALL
         SELECT 'target-failing'::text,
            t.last_error,
            date_trunc('day'::text, t.last_error_at, 'UTC'::text) AS date_trunc,
            t.last_error_at,
            t.last_error_at,
            (t.failures)::bigint AS failures,
            NULL::double precision
          WHERE (t.last_error IS NOT NULL)
        UNION ALL
         SELECT 'log-problem'::text,
            t.log_problem,
            date_trunc('day'::text, t.last_seen_at, 'UTC'::text) AS date_trunc,
            NULL::timestamp with time zone,
            t.last_seen_at,
            1,
            NULL::double precision
          WHERE (t.log_problem IS NOT NULL)
        UNION ALL
         SELECT 'hidden-statements'::text,
            'pg_read_all_stats is not granted'::text,
            date_trunc('day'::text, h.captured_at, 'UTC'::text) AS date_trunc,
            NULL::timestamp with time zone,
            h.captured_at,
            (h.hidden)::bigint AS hidden,
            (h.hidden_exec_time / (1000)::double precision)
           FROM ( SELECT s.captured_at,
                    s.hidden,
                    s.hidden_exec_time
                   FROM snapshots s
                  WHERE (s.target_id = t.id)
                  ORDER BY s.id DESC
                 LIMIT 1) h
          WHERE (h.hidden > 0)) f)
UNION ALL
 SELECT c.target_id,
    t.name AS target,
    NULLIF(c.database_name, ''::text) AS database_name,
    'check'::text AS item,
    ((c.name || ': '::text) || c.message) AS reason,
    date_trunc('day'::text, c.checked_at, 'UTC'::text) AS day,
    NULL::timestamp with time zone AS first_at,
    c.checked_at AS last_at,
    1 AS count,
    NULL::double precision AS seconds
   FROM (target_checks c
     JOIN targets t ON ((t.id = c.target_id)))
  WHERE (c.status <> 'ok'::text)
UNION ALL
 SELECT b.target_id,
    t.name AS target,
    b.datname AS database_name,
    'database-unreadable'::text AS item,
    b.problem AS reason,
    date_trunc('day'::text, b.last_seen_at, 'UTC'::text) AS day,
    NULL::timestamp with time zone AS first_at,
    b.last_seen_at AS last_at,
    1 AS count,
    NULL::double precision AS seconds
   FROM (databases b
     JOIN targets t ON ((t.id = b.target_id)))
  WHERE (b.problem IS NOT NULL)
UNION ALL
 SELECT q.target_id,
    t.name AS target,
    b.datname AS database_name,
    k.item,
    k.item AS reason,
    date_trunc('day'::text, q.first_seen_at, 'UTC'::text) AS day,
    min(q.first_seen_at) AS first_at,
    max(q.first_seen_at) AS last_at,
    count(*) AS count,
    NULL::double precision AS seconds
   FROM (((queries q
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (q.unreadable ~~ 'hidden%'::text) THEN 'text-hidden'::text
                    WHEN (q.unreadable ~~ '%cut off%'::text) THEN 'text-truncated'::text
                    WHEN (q.unreadable ~~ 'not SQL%'::text) THEN 'text-not-sql'::text
                    ELSE 'text-unparsable'::text
                END AS item) k)
     JOIN targets t ON ((t.id = q.target_id)))
     JOIN databases b ON (((b.target_id = q.target_id) AND (b.dbid = q.dbid))))
  WHERE ((q.unreadable IS NOT NULL) AND (NOT q.is_own))
  GROUP BY q.target_id, t.name, b.datname, k.item, (date_trunc('day'::text, q.first_seen_at, 'UTC'::text));

COMMENT ON VIEW pgadvisor.data_quality IS 'One row is how often one thing made the history incomplete on one day (UTC). The page /data-quality and GET /api/v1/data-quality say more: the share of time, why it matters, and what mends it.';

COMMENT ON COLUMN pgadvisor.data_quality.database_name IS 'Null: the whole target.';

COMMENT ON COLUMN pgadvisor.data_quality.item IS 'gap-..., evictions, log-skipped, target-failing, log-problem, hidden-statements, check, database-unreadable, text-...; explained in docs/data_quality.md.';

COMMENT ON COLUMN pgadvisor.data_quality.reason IS 'In the words of whoever found it.';

COMMENT ON COLUMN pgadvisor.data_quality.day IS 'Begin of the day.';

COMMENT ON COLUMN pgadvisor.data_quality.count IS 'On that day; of log-skipped since the log is read; of a state (a failing target, a problem, hidden statements, a check) as of last_at.';

COMMENT ON COLUMN pgadvisor.data_quality.seconds IS 'Length of the gaps; execution time of hidden statements; null where it has no meaning.';

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

CREATE VIEW pgadvisor.database_hours AS
 SELECT h.target_id,
    t.name AS target,
    b.datname AS database_name,
    h.hour,
    (COALESCE(sum(h.calls), (0)::numeric))::bigint AS calls,
    (COALESCE(sum(h.rows), (0)::numeric))::bigint AS rows,
    COALESCE(sum(h.total_exec_time), (0)::double precision) AS total_exec_time,
    COALESCE((sum(h.total_exec_time) / (NULLIF(sum(h.calls), (0)::numeric))::double precision), (0)::double precision) AS mean_exec_time,
    COALESCE(sum(h.total_plan_time), (0)::double precision) AS total_plan_time,
    (COALESCE(sum(h.shared_blks_hit), (0)::numeric))::bigint AS shared_blks_hit,
    (COALESCE(sum(h.shared_blks_read), (0)::numeric))::bigint AS shared_blks_read,
    (COALESCE(sum(h.temp_blks_written), (0)::numeric))::bigint AS temp_blks_written,
    (COALESCE(sum(h.wal_bytes), (0)::numeric))::bigint AS wal_bytes
   FROM (((statement_hours h
     JOIN statements s ON ((s.id = h.statement_id)))
     JOIN targets t ON ((t.id = h.target_id)))
     JOIN databases b ON (((b.target_id = s.target_id) AND (b.dbid = s.dbid))))
  WHERE s.toplevel
  GROUP BY h.target_id, t.name, b.datname, h.hour;

COMMENT ON VIEW pgadvisor.database_hours IS 'One row is what all top-level statements of one database did in one hour (UTC).';

COMMENT ON COLUMN pgadvisor.database_hours.hour IS 'Begin of the hour.';

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
    wal_bytes bigint NOT NULL,
    is_merged boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE database_intervals IS 'One row is what all statements of one database did over [since, until): the load.';

COMMENT ON COLUMN database_intervals.is_merged IS 'The row is an hour, made of the intervals in it when they were past raw_retention; until - since is the time they covered.';

CREATE VIEW pgadvisor.database_load AS
 SELECT i.target_id,
    t.name AS target,
    b.datname AS database_name,
    i.since,
    i.until,
    (EXTRACT(epoch FROM (i.until - i.since)))::double precision AS seconds,
    i.statements,
    i.calls,
    i.rows,
    i.total_exec_time,
    ((i.total_exec_time / (1000)::double precision) / NULLIF((EXTRACT(epoch FROM (i.until - i.since)))::double precision, (0)::double precision)) AS average_active_sessions,
    i.shared_blks_hit,
    i.shared_blks_read,
    i.temp_blks_written,
    i.wal_bytes
   FROM ((database_intervals i
     JOIN targets t ON ((t.id = i.target_id)))
     JOIN databases b ON (((b.target_id = i.target_id) AND (b.dbid = i.dbid))));

COMMENT ON VIEW pgadvisor.database_load IS 'One row is what all top-level statements of one database did between two readings.';

COMMENT ON COLUMN pgadvisor.database_load.statements IS 'Entries of pg_stat_statements that ran.';

COMMENT ON COLUMN pgadvisor.database_load.average_active_sessions IS 'Seconds of execution per second.';

CREATE VIEW pgadvisor.databases AS
 SELECT d.target_id,
    t.name AS target,
    t.system_identifier,
    d.dbid,
    d.datname AS database_name,
    (d.last_seen_at = max(d.last_seen_at) OVER (PARTITION BY d.target_id, d.datname)) AS is_current,
    d.last_seen_at,
    d.catalog_read_at,
    d.problem
   FROM (databases d
     JOIN targets t ON ((t.id = d.target_id)));

COMMENT ON VIEW pgadvisor.databases IS 'One row is one database of a target. One that was dropped and made again has a row for each.';

COMMENT ON COLUMN pgadvisor.databases.dbid IS 'pg_database.oid; negative where the history did not come from a server.';

COMMENT ON COLUMN pgadvisor.databases.is_current IS 'False for the earlier ones of the same name.';

COMMENT ON COLUMN pgadvisor.databases.last_seen_at IS 'When the server listed it last.';

COMMENT ON COLUMN pgadvisor.databases.catalog_read_at IS 'When its tables and indexes were read last.';

COMMENT ON COLUMN pgadvisor.databases.problem IS 'Why it cannot be read; null when it can.';

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

CREATE VIEW pgadvisor.executions AS
 SELECT e.target_id,
    t.name AS target,
    COALESCE(e.datname, p.datname) AS database_name,
    COALESCE(e.queryid, p.queryid) AS queryid,
    COALESCE(e.fingerprint, p.fingerprint) AS fingerprint,
    e.logged_at,
    e.duration_ms,
    e.source,
    e.plan_id,
    p.shape,
    e.threshold_ms,
    e.sample_rate,
    COALESCE(((e.threshold_ms = (0)::double precision) AND (e.sample_rate = (1)::double precision)), false) AS is_whole,
    e.username,
    e.application_name,
    e.pid,
    e.parameters
   FROM ((executions e
     JOIN targets t ON ((t.id = e.target_id)))
     LEFT JOIN plans p ON ((p.id = e.plan_id)));

COMMENT ON VIEW pgadvisor.executions IS 'One row is one execution that the server log shows. Kept for PGADVISOR_RAW_RETENTION.';

COMMENT ON COLUMN pgadvisor.executions.source IS 'auto_explain or log_min_duration (log_min_duration_statement and its samples).';

COMMENT ON COLUMN pgadvisor.executions.threshold_ms IS 'Shorter executions were not logged at this rate; 0: all were; null: not known.';

COMMENT ON COLUMN pgadvisor.executions.sample_rate IS 'Probability that an execution as long as this was logged; null: not known.';

COMMENT ON COLUMN pgadvisor.executions.is_whole IS 'Every execution was logged then. Where false, means and counts are of the slow or sampled ones only.';

COMMENT ON COLUMN pgadvisor.executions.parameters IS 'Values of $1, $2, ... as PGADVISOR_PARAMETERS keeps them.';

CREATE VIEW pgadvisor.execution_stats AS
 SELECT target_id,
    target,
    database_name,
    fingerprint,
    queryid,
    date_trunc('hour'::text, logged_at, 'UTC'::text) AS hour,
    source,
    is_whole,
    threshold_ms,
    sample_rate,
    count(*) AS executions,
        CASE
            WHEN (sample_rate IS NOT NULL) THEN ((count(*))::double precision / sample_rate)
            ELSE NULL::double precision
        END AS estimated_executions,
    sum(duration_ms) AS total_duration_ms,
    avg(duration_ms) AS mean_duration_ms,
    percentile_cont((0.5)::double precision) WITHIN GROUP (ORDER BY duration_ms) AS median_duration_ms,
    percentile_cont((0.95)::double precision) WITHIN GROUP (ORDER BY duration_ms) AS p95_duration_ms,
    max(duration_ms) AS max_duration_ms
   FROM pgadvisor.executions e
  GROUP BY target_id, target, database_name, fingerprint, queryid, (date_trunc('hour'::text, logged_at, 'UTC'::text)), source, is_whole, threshold_ms, sample_rate;

COMMENT ON VIEW pgadvisor.execution_stats IS 'One row is the logged executions of one query in one hour (UTC) that were logged in one way: a sample of the slow ones is never added to the whole.';

COMMENT ON COLUMN pgadvisor.execution_stats.is_whole IS 'True: these are all executions. False: only those from threshold_ms on, or a sample, or not known.';

COMMENT ON COLUMN pgadvisor.execution_stats.estimated_executions IS 'executions / sample_rate: how many there were from threshold_ms on; null: not known.';

COMMENT ON COLUMN pgadvisor.execution_stats.mean_duration_ms IS 'Of what was logged: no mean of the query unless is_whole.';

COMMENT ON COLUMN pgadvisor.execution_stats.median_duration_ms IS 'Of what was logged, as mean_duration_ms.';

COMMENT ON COLUMN pgadvisor.execution_stats.p95_duration_ms IS 'Of what was logged, as mean_duration_ms.';

CREATE VIEW pgadvisor.gaps AS
 SELECT g.target_id,
    t.name AS target,
    g.since,
    g.until,
    (EXTRACT(epoch FROM (g.until - g.since)))::double precision AS seconds,
    g.reason,
    g.statements
   FROM (gaps g
     JOIN targets t ON ((t.id = g.target_id)));

COMMENT ON VIEW pgadvisor.gaps IS 'One row is a span in which calls may have happened that no counter shows.';

COMMENT ON COLUMN pgadvisor.gaps.reason IS 'reset, eviction, restart, other_cluster, first_sight, clock; explained in docs/store.md.';

COMMENT ON COLUMN pgadvisor.gaps.statements IS 'Entries concerned, as far as known.';

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

CREATE VIEW pgadvisor.index_statistics AS
 SELECT r.target_id,
    t.name AS target,
    b.datname AS database_name,
    o.schema_name,
    o.table_name,
    o.index_name,
    r.oid,
    r.since,
    r.until,
    (EXTRACT(epoch FROM (r.until - r.since)))::double precision AS seconds,
    n.total_bytes,
    (n.total_bytes - p.total_bytes) AS grown_bytes,
        CASE
            WHEN (n.idx_scan >= p.idx_scan) THEN ((n.idx_scan - p.idx_scan) / (EXTRACT(epoch FROM (r.until - r.since)))::double precision)
            ELSE NULL::double precision
        END AS idx_scan_per_second
   FROM (((((( SELECT s.target_id,
            s.dbid,
            s.oid,
            s.captured_at AS until,
            s.statistics AS now,
            lag(s.captured_at) OVER w AS since,
            lag(s.statistics) OVER w AS past
           FROM relation_statistics s
          WHERE (s.kind = 'index'::text)
          WINDOW w AS (PARTITION BY s.target_id, s.dbid, s.oid ORDER BY s.captured_at)) r
     CROSS JOIN LATERAL jsonb_to_record(r.now) n(total_bytes bigint, idx_scan double precision))
     CROSS JOIN LATERAL jsonb_to_record(r.past) p(total_bytes bigint, idx_scan double precision))
     JOIN targets t ON ((t.id = r.target_id)))
     JOIN databases b ON (((b.target_id = r.target_id) AND (b.dbid = r.dbid))))
     LEFT JOIN LATERAL ( SELECT (c.definition ->> 'schema'::text) AS schema_name,
            (c.definition ->> 'name'::text) AS index_name,
            ( SELECT (x.definition ->> 'name'::text)
                   FROM catalog_objects x
                  WHERE ((x.target_id = c.target_id) AND (x.dbid = c.dbid) AND (x.kind = 'table'::text) AND (x.object = (c.definition ->> 'table_oid'::text)) AND (x.since <= r.until))
                  ORDER BY x.since DESC
                 LIMIT 1) AS table_name
           FROM catalog_objects c
          WHERE ((c.target_id = r.target_id) AND (c.dbid = r.dbid) AND (c.kind = 'index'::text) AND (c.object = (r.oid)::text) AND (c.since <= r.until))
          ORDER BY c.since DESC
         LIMIT 1) o ON (true))
  WHERE (r.since IS NOT NULL);

COMMENT ON VIEW pgadvisor.index_statistics IS 'One row is what changed in an index between two readings of pg_stat_all_indexes, as rates; kept as table_statistics are.';

COMMENT ON COLUMN pgadvisor.index_statistics.total_bytes IS 'At until.';

COMMENT ON COLUMN pgadvisor.index_statistics.grown_bytes IS 'Since the reading before; negative: it shrank.';

COMMENT ON COLUMN pgadvisor.index_statistics.idx_scan_per_second IS 'Scans of the index; null where the statistics were reset in between.';

CREATE TABLE plan_hours (
    target_id integer NOT NULL,
    plan_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
    executions bigint NOT NULL,
    total_duration_ms double precision NOT NULL,
    max_duration_ms double precision NOT NULL
);

COMMENT ON TABLE plan_hours IS 'One row is what the log showed of one plan shape in one hour.';

CREATE VIEW pgadvisor.plan_hours AS
 SELECT h.target_id,
    t.name AS target,
    p.datname AS database_name,
    p.queryid,
    p.fingerprint,
    h.plan_id,
    p.shape,
    h.hour,
    h.executions,
    h.total_duration_ms,
    (h.total_duration_ms / (NULLIF(h.executions, 0))::double precision) AS mean_duration_ms,
    h.max_duration_ms
   FROM ((plan_hours h
     JOIN plans p ON ((p.id = h.plan_id)))
     JOIN targets t ON ((t.id = h.target_id)));

COMMENT ON VIEW pgadvisor.plan_hours IS 'One row is what the log showed of one plan shape in one hour (UTC): when a plan changed, and what it cost.';

COMMENT ON COLUMN pgadvisor.plan_hours.executions IS 'Logged ones, so the slow ones where the log has a threshold.';

CREATE VIEW pgadvisor.plans AS
 SELECT p.id AS plan_id,
    p.target_id,
    t.name AS target,
    p.datname AS database_name,
    p.queryid,
    p.fingerprint,
    p.shape,
    p.source,
    p.first_seen_at,
    p.last_seen_at,
    p.executions,
    p.total_duration_ms,
    (p.total_duration_ms / (NULLIF(p.executions, 0))::double precision) AS mean_duration_ms,
    p.max_duration_ms,
    (p.plan ->> 'Node Type'::text) AS node_type,
    ((p.plan ->> 'Total Cost'::text))::double precision AS total_cost,
    p.plan,
    p.example_query
   FROM (plans p
     JOIN targets t ON ((t.id = p.target_id)));

COMMENT ON VIEW pgadvisor.plans IS 'One row is one plan shape of one query.';

COMMENT ON COLUMN pgadvisor.plans.queryid IS 'Null where the log said none: joined by fingerprint then.';

COMMENT ON COLUMN pgadvisor.plans.shape IS '16 hex digits over the nodes, relations and indexes of the plan: the same plan has the same shape.';

COMMENT ON COLUMN pgadvisor.plans.source IS 'auto_explain: executed and logged; generic_plan: the planner was asked.';

COMMENT ON COLUMN pgadvisor.plans.executions IS 'Logged ones, so the slow ones where the log has a threshold; 0 for a plan we asked for.';

COMMENT ON COLUMN pgadvisor.plans.node_type IS 'Of the topmost node.';

COMMENT ON COLUMN pgadvisor.plans.total_cost IS 'The planner''s unit, no time.';

COMMENT ON COLUMN pgadvisor.plans.plan IS 'The newest example, EXPLAIN (FORMAT JSON).';

CREATE VIEW pgadvisor.queries AS
 SELECT g.target_id,
    t.name AS target,
    t.system_identifier,
    g.database_name,
    g.query_hash,
    g.fingerprint,
    g.queryids,
    g.query,
    g.kind,
    (g.kind <> ALL (ARRAY['select'::text, 'values'::text, 'insert'::text, 'update'::text, 'delete'::text, 'merge'::text])) AS is_utility,
    g.tables,
    g.unreadable,
    g.first_seen_at,
    ( SELECT max(l.hour) AS max
           FROM (statements s
             CROSS JOIN LATERAL ( SELECT max(h.hour) AS hour
                   FROM statement_hours h
                  WHERE ((h.target_id = s.target_id) AND (h.statement_id = s.id))) l)
          WHERE ((s.target_id = g.target_id) AND (s.queryid = ANY (g.queryids)) AND (s.dbid = ANY (g.dbids)))) AS last_hour
   FROM (( SELECT n.target_id,
            n.database_name,
            n.query_hash,
            max(n.fingerprint) AS fingerprint,
            array_agg(DISTINCT n.queryid) AS queryids,
            array_agg(DISTINCT n.dbid) AS dbids,
            max(n.query) FILTER (WHERE (n.place = 1)) AS query,
            max(n.kind) FILTER (WHERE (n.place = 1)) AS kind,
            max(n.tables) FILTER (WHERE (n.place = 1)) AS tables,
            max(n.unreadable) FILTER (WHERE (n.place = 1)) AS unreadable,
            min(n.first_seen_at) AS first_seen_at
           FROM ( SELECT q.target_id,
                    d.datname AS database_name,
                    q.dbid,
                    q.queryid,
                    q.fingerprint,
                    q.query,
                    q.kind,
                    q.tables,
                    q.unreadable,
                    q.first_seen_at,
                    COALESCE(q.fingerprint, (q.queryid)::text) AS query_hash,
                    row_number() OVER (PARTITION BY q.target_id, d.datname, COALESCE(q.fingerprint, (q.queryid)::text) ORDER BY (q.query IS NULL), q.first_seen_at DESC, q.queryid) AS place
                   FROM (queries q
                     JOIN databases d ON (((d.target_id = q.target_id) AND (d.dbid = q.dbid))))
                  WHERE (NOT q.is_own)) n
          GROUP BY n.target_id, n.database_name, n.query_hash) g
     JOIN targets t ON ((t.id = g.target_id)));

COMMENT ON VIEW pgadvisor.queries IS 'One row is one query of a database: every queryid with the same fingerprint, so one row for IN lists of any length, before and after a dump and restore or an upgrade.';

COMMENT ON COLUMN pgadvisor.queries.query_hash IS 'The fingerprint, or the queryid of a text that has none: what the pages and the API take.';

COMMENT ON COLUMN pgadvisor.queries.fingerprint IS 'libpg_query''s, 16 hex digits: the same for every constant, on every server and version.';

COMMENT ON COLUMN pgadvisor.queries.queryids IS 'All it was ever seen with.';

COMMENT ON COLUMN pgadvisor.queries.query IS 'The newest text, normalized; null while hidden.';

COMMENT ON COLUMN pgadvisor.queries.kind IS 'select, insert, update, delete, merge, values, copy, call, setting, utility, ...; null: not parsable.';

COMMENT ON COLUMN pgadvisor.queries.is_utility IS 'Not planned by itself: DDL, SET, COPY, CALL, cursors; null: not parsable.';

COMMENT ON COLUMN pgadvisor.queries.tables IS 'Tables of the newest text, as written: schema-qualified where it is.';

COMMENT ON COLUMN pgadvisor.queries.unreadable IS 'Why the text cannot be used: hidden, truncated, not parsable.';

COMMENT ON COLUMN pgadvisor.queries.last_hour IS 'Begin of the last hour in which it ran; null: not in the hours that are kept.';

CREATE VIEW pgadvisor.query_hours AS
 SELECT g.target_id,
    t.name AS target,
    g.database_name,
    g.fingerprint,
    g.queryid,
    g.kind,
    g.toplevel,
    g.hour,
    g.calls,
    g.rows,
    g.total_exec_time,
    g.plans,
    g.total_plan_time,
    g.shared_blks_hit,
    g.shared_blks_read,
    g.shared_blks_dirtied,
    g.shared_blks_written,
    g.local_blks_hit,
    g.local_blks_read,
    g.local_blks_dirtied,
    g.local_blks_written,
    g.temp_blks_read,
    g.temp_blks_written,
    g.shared_blk_read_time,
    g.shared_blk_write_time,
    g.local_blk_read_time,
    g.local_blk_write_time,
    g.temp_blk_read_time,
    g.temp_blk_write_time,
    g.wal_records,
    g.wal_fpi,
    g.wal_bytes,
    g.jit_functions,
    g.jit_generation_time,
    g.jit_inlining_time,
    g.jit_optimization_time,
    g.jit_emission_time,
    g.parallel_workers_to_launch,
    g.parallel_workers_launched,
    COALESCE((g.total_exec_time / (NULLIF(g.calls, 0))::double precision), (0)::double precision) AS mean_exec_time,
    COALESCE(sqrt(GREATEST(((g.sum_squared_exec_time / (NULLIF(g.calls, 0))::double precision) - ((g.total_exec_time / (NULLIF(g.calls, 0))::double precision) ^ (2)::double precision)), (0)::double precision)), (0)::double precision) AS stddev_exec_time,
    COALESCE((g.total_exec_time / NULLIF(whole.total_exec_time, (0)::double precision)), (0)::double precision) AS share_ratio
   FROM ((( SELECT h.target_id,
            b.datname AS database_name,
            q.fingerprint,
            s.queryid,
            q.kind,
            h.hour,
            bool_or(s.toplevel) AS toplevel,
            COALESCE(sum(h.sum_squared_exec_time), (0)::double precision) AS sum_squared_exec_time,
            (COALESCE(sum(h.calls), (0)::numeric))::bigint AS calls,
            (COALESCE(sum(h.rows), (0)::numeric))::bigint AS rows,
            COALESCE(sum(h.total_exec_time), (0)::double precision) AS total_exec_time,
            (COALESCE(sum(h.plans), (0)::numeric))::bigint AS plans,
            COALESCE(sum(h.total_plan_time), (0)::double precision) AS total_plan_time,
            (COALESCE(sum(h.shared_blks_hit), (0)::numeric))::bigint AS shared_blks_hit,
            (COALESCE(sum(h.shared_blks_read), (0)::numeric))::bigint AS shared_blks_read,
            (COALESCE(sum(h.shared_blks_dirtied), (0)::numeric))::bigint AS shared_blks_dirtied,
            (COALESCE(sum(h.shared_blks_written), (0)::numeric))::bigint AS shared_blks_written,
            (COALESCE(sum(h.local_blks_hit), (0)::numeric))::bigint AS local_blks_hit,
            (COALESCE(sum(h.local_blks_read), (0)::numeric))::bigint AS local_blks_read,
            (COALESCE(sum(h.local_blks_dirtied), (0)::numeric))::bigint AS local_blks_dirtied,
            (COALESCE(sum(h.local_blks_written), (0)::numeric))::bigint AS local_blks_written,
            (COALESCE(sum(h.temp_blks_read), (0)::numeric))::bigint AS temp_blks_read,
            (COALESCE(sum(h.temp_blks_written), (0)::numeric))::bigint AS temp_blks_written,
            COALESCE(sum(h.shared_blk_read_time), (0)::double precision) AS shared_blk_read_time,
            COALESCE(sum(h.shared_blk_write_time), (0)::double precision) AS shared_blk_write_time,
            COALESCE(sum(h.local_blk_read_time), (0)::double precision) AS local_blk_read_time,
            COALESCE(sum(h.local_blk_write_time), (0)::double precision) AS local_blk_write_time,
            COALESCE(sum(h.temp_blk_read_time), (0)::double precision) AS temp_blk_read_time,
            COALESCE(sum(h.temp_blk_write_time), (0)::double precision) AS temp_blk_write_time,
            (COALESCE(sum(h.wal_records), (0)::numeric))::bigint AS wal_records,
            (COALESCE(sum(h.wal_fpi), (0)::numeric))::bigint AS wal_fpi,
            (COALESCE(sum(h.wal_bytes), (0)::numeric))::bigint AS wal_bytes,
            (COALESCE(sum(h.jit_functions), (0)::numeric))::bigint AS jit_functions,
            COALESCE(sum(h.jit_generation_time), (0)::double precision) AS jit_generation_time,
            COALESCE(sum(h.jit_inlining_time), (0)::double precision) AS jit_inlining_time,
            COALESCE(sum(h.jit_optimization_time), (0)::double precision) AS jit_optimization_time,
            COALESCE(sum(h.jit_emission_time), (0)::double precision) AS jit_emission_time,
            (COALESCE(sum(h.parallel_workers_to_launch), (0)::numeric))::bigint AS parallel_workers_to_launch,
            (COALESCE(sum(h.parallel_workers_launched), (0)::numeric))::bigint AS parallel_workers_launched
           FROM (((statement_hours h
             JOIN statements s ON ((s.id = h.statement_id)))
             JOIN databases b ON (((b.target_id = s.target_id) AND (b.dbid = s.dbid))))
             LEFT JOIN queries q ON (((q.target_id = s.target_id) AND (q.dbid = s.dbid) AND (q.queryid = s.queryid))))
          WHERE (q.is_own IS NOT TRUE)
          GROUP BY h.target_id, b.datname, q.fingerprint, s.queryid, q.kind, h.hour) g
     JOIN targets t ON ((t.id = g.target_id)))
     LEFT JOIN LATERAL ( SELECT sum(h.total_exec_time) AS total_exec_time
           FROM ((statement_hours h
             JOIN statements s ON ((s.id = h.statement_id)))
             JOIN databases b ON (((b.target_id = s.target_id) AND (b.dbid = s.dbid))))
          WHERE ((h.target_id = g.target_id) AND (h.hour = g.hour) AND (b.datname = g.database_name) AND s.toplevel)) whole ON (true));

COMMENT ON VIEW pgadvisor.query_hours IS 'One row is what one queryid did in one hour (UTC), all roles and levels added up; none where it did nothing. Add the rows of a fingerprint up for the whole query.';

COMMENT ON COLUMN pgadvisor.query_hours.fingerprint IS 'Joins the queryids of one query; null: not parsable.';

COMMENT ON COLUMN pgadvisor.query_hours.toplevel IS 'False where it ran inside functions only.';

COMMENT ON COLUMN pgadvisor.query_hours.hour IS 'Begin of the hour.';

COMMENT ON COLUMN pgadvisor.query_hours.share_ratio IS 'Of the time of all top-level statements of its database in that hour, 0 to 1.';

CREATE TABLE roles (
    target_id integer NOT NULL,
    userid bigint NOT NULL,
    rolname text NOT NULL
);

COMMENT ON TABLE roles IS 'One row is one role of a target (pg_roles).';

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

CREATE VIEW pgadvisor.query_intervals AS
 SELECT d.target_id,
    t.name AS target,
    b.datname AS database_name,
    q.fingerprint,
    s.queryid,
    r.rolname AS username,
    s.toplevel,
    d.since,
    d.until,
    (EXTRACT(epoch FROM (d.until - d.since)))::double precision AS seconds,
    COALESCE(d.calls, (0)::bigint) AS calls,
    COALESCE(d.rows, (0)::bigint) AS rows,
    COALESCE(d.total_exec_time, (0)::double precision) AS total_exec_time,
    COALESCE(d.plans, (0)::bigint) AS plans,
    COALESCE(d.total_plan_time, (0)::double precision) AS total_plan_time,
    COALESCE(d.shared_blks_hit, (0)::bigint) AS shared_blks_hit,
    COALESCE(d.shared_blks_read, (0)::bigint) AS shared_blks_read,
    COALESCE(d.shared_blks_dirtied, (0)::bigint) AS shared_blks_dirtied,
    COALESCE(d.shared_blks_written, (0)::bigint) AS shared_blks_written,
    COALESCE(d.local_blks_hit, (0)::bigint) AS local_blks_hit,
    COALESCE(d.local_blks_read, (0)::bigint) AS local_blks_read,
    COALESCE(d.local_blks_dirtied, (0)::bigint) AS local_blks_dirtied,
    COALESCE(d.local_blks_written, (0)::bigint) AS local_blks_written,
    COALESCE(d.temp_blks_read, (0)::bigint) AS temp_blks_read,
    COALESCE(d.temp_blks_written, (0)::bigint) AS temp_blks_written,
    COALESCE(d.shared_blk_read_time, (0)::double precision) AS shared_blk_read_time,
    COALESCE(d.shared_blk_write_time, (0)::double precision) AS shared_blk_write_time,
    COALESCE(d.local_blk_read_time, (0)::double precision) AS local_blk_read_time,
    COALESCE(d.local_blk_write_time, (0)::double precision) AS local_blk_write_time,
    COALESCE(d.temp_blk_read_time, (0)::double precision) AS temp_blk_read_time,
    COALESCE(d.temp_blk_write_time, (0)::double precision) AS temp_blk_write_time,
    COALESCE(d.wal_records, (0)::bigint) AS wal_records,
    COALESCE(d.wal_fpi, (0)::bigint) AS wal_fpi,
    COALESCE(d.wal_bytes, (0)::bigint) AS wal_bytes,
    COALESCE(d.jit_functions, (0)::bigint) AS jit_functions,
    COALESCE(d.jit_generation_time, (0)::double precision) AS jit_generation_time,
    COALESCE(d.jit_inlining_time, (0)::double precision) AS jit_inlining_time,
    COALESCE(d.jit_optimization_time, (0)::double precision) AS jit_optimization_time,
    COALESCE(d.jit_emission_time, (0)::double precision) AS jit_emission_time,
    COALESCE(d.parallel_workers_to_launch, (0)::bigint) AS parallel_workers_to_launch,
    COALESCE(d.parallel_workers_launched, (0)::bigint) AS parallel_workers_launched,
    COALESCE((d.total_exec_time / (NULLIF(d.calls, 0))::double precision), (0)::double precision) AS mean_exec_time,
    COALESCE(sqrt(GREATEST(((d.sum_squared_exec_time / (NULLIF(d.calls, 0))::double precision) - ((d.total_exec_time / (NULLIF(d.calls, 0))::double precision) ^ (2)::double precision)), (0)::double precision)), (0)::double precision) AS stddev_exec_time
   FROM (((((statement_deltas d
     JOIN statements s ON ((s.id = d.statement_id)))
     JOIN targets t ON ((t.id = d.target_id)))
     JOIN databases b ON (((b.target_id = s.target_id) AND (b.dbid = s.dbid))))
     LEFT JOIN roles r ON (((r.target_id = s.target_id) AND (r.userid = s.userid))))
     LEFT JOIN queries q ON (((q.target_id = s.target_id) AND (q.dbid = s.dbid) AND (q.queryid = s.queryid))))
  WHERE (q.is_own IS NOT TRUE);

COMMENT ON VIEW pgadvisor.query_intervals IS 'One row is what one entry of pg_stat_statements (query, role, level) did between two readings; none where it did nothing. Kept for PGADVISOR_RAW_RETENTION.';

COMMENT ON COLUMN pgadvisor.query_intervals.toplevel IS 'False inside a function: its time is also in that of its caller.';

COMMENT ON COLUMN pgadvisor.query_intervals.until IS 'It did it in [since, until).';

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

CREATE VIEW pgadvisor.recommendations AS
 SELECT r.id AS recommendation_id,
    r.target_id,
    t.name AS target,
    r.database_name,
    r.rule,
    r.title,
    r.statement,
    r.undo,
    r.reasoning,
    r.queryids,
    r.evidence_level,
    r.confidence_score,
    r.estimated_improvement_percent,
    r.improvement_low_percent,
    r.improvement_high_percent,
    r.frequency,
    r.current_impact,
    r.urgency_score,
    r.roi_score,
    (r.roi_score / (100)::double precision) AS saved_seconds_per_hour,
    r.state,
    r.state_reason,
    r.created_at,
    r.updated_at
   FROM (optimization_recommendations r
     JOIN targets t ON ((t.id = r.target_id)));

COMMENT ON VIEW pgadvisor.recommendations IS 'One row is one change that is or was advised.';

COMMENT ON COLUMN pgadvisor.recommendations.statement IS 'SQL to run.';

COMMENT ON COLUMN pgadvisor.recommendations.undo IS 'SQL that undoes it.';

COMMENT ON COLUMN pgadvisor.recommendations.evidence_level IS 'measured, predicted, costed or heuristic.';

COMMENT ON COLUMN pgadvisor.recommendations.frequency IS 'Calls per hour of the queries concerned.';

COMMENT ON COLUMN pgadvisor.recommendations.current_impact IS 'Their mean execution time in seconds.';

COMMENT ON COLUMN pgadvisor.recommendations.urgency_score IS 'frequency x current_impact.';

COMMENT ON COLUMN pgadvisor.recommendations.roi_score IS 'confidence_score x estimated_improvement_percent x urgency_score.';

COMMENT ON COLUMN pgadvisor.recommendations.saved_seconds_per_hour IS 'What one may expect to save: a hundredth of roi_score.';

COMMENT ON COLUMN pgadvisor.recommendations.state IS 'proposed, accepted, rejected, applied, verified, reverted or expired.';

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

CREATE VIEW pgadvisor.settings_changes AS
 SELECT c.target_id,
    t.name AS target,
    c.name,
    c.changed_at,
    c.setting,
    c.unit,
    c.source,
    c.previous_setting,
    c.previous_source,
    (c.changed_at - c.previous_since) AS held
   FROM (( SELECT s.target_id,
            s.name,
            s.since AS changed_at,
            s.setting,
            s.unit,
            s.source,
            lag(s.setting) OVER w AS previous_setting,
            lag(s.source) OVER w AS previous_source,
            lag(s.since) OVER w AS previous_since
           FROM settings s
          WINDOW w AS (PARTITION BY s.target_id, s.name ORDER BY s.since)) c
     JOIN targets t ON ((t.id = c.target_id)))
  WHERE (c.previous_setting IS NOT NULL);

COMMENT ON VIEW pgadvisor.settings_changes IS 'One row is one change of a parameter (pg_settings) that was seen between two readings.';

COMMENT ON COLUMN pgadvisor.settings_changes.changed_at IS 'When the new value was seen first.';

COMMENT ON COLUMN pgadvisor.settings_changes.source IS 'Where the value comes from, as in pg_settings.';

COMMENT ON COLUMN pgadvisor.settings_changes.held IS 'How long the value before held, since it was seen first.';

CREATE TABLE advice_silences (
    target_id integer NOT NULL,
    database_name text NOT NULL,
    queryid bigint NOT NULL,
    rule text NOT NULL,
    reason text NOT NULL,
    analyzed_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE advice_silences IS 'One row is why a rule advises nothing for a query.';

CREATE VIEW pgadvisor.silences AS
 SELECT a.target_id,
    t.name AS target,
    a.database_name,
    a.queryid,
    q.fingerprint,
    a.rule,
    a.reason,
    a.analyzed_at
   FROM ((advice_silences a
     JOIN targets t ON ((t.id = a.target_id)))
     LEFT JOIN LATERAL ( SELECT max(x.fingerprint) AS fingerprint
           FROM (queries x
             JOIN databases b ON (((b.target_id = x.target_id) AND (b.dbid = x.dbid))))
          WHERE ((x.target_id = a.target_id) AND (x.queryid = a.queryid) AND (b.datname = a.database_name))) q ON (true));

COMMENT ON VIEW pgadvisor.silences IS 'One row is why one rule advises nothing for one query.';

CREATE VIEW pgadvisor.table_statistics AS
 SELECT r.target_id,
    t.name AS target,
    b.datname AS database_name,
    o.schema_name,
    o.table_name,
    r.oid,
    r.since,
    r.until,
    x.seconds,
    n.total_bytes,
    n.table_bytes,
    (n.total_bytes - p.total_bytes) AS grown_bytes,
    n.reltuples,
    n.n_live_tup,
    n.n_dead_tup,
    ((n.n_tup_ins - p.n_tup_ins) / x.counted_seconds) AS n_tup_ins_per_second,
    ((n.n_tup_upd - p.n_tup_upd) / x.counted_seconds) AS n_tup_upd_per_second,
    ((n.n_tup_del - p.n_tup_del) / x.counted_seconds) AS n_tup_del_per_second,
    ((n.n_tup_hot_upd - p.n_tup_hot_upd) / x.counted_seconds) AS n_tup_hot_upd_per_second,
    ((n.seq_scan - p.seq_scan) / x.counted_seconds) AS seq_scan_per_second,
    ((n.seq_tup_read - p.seq_tup_read) / x.counted_seconds) AS seq_tup_read_per_second,
    ((n.idx_scan - p.idx_scan) / x.counted_seconds) AS idx_scan_per_second,
    n.last_analyze_at
   FROM ((((((( SELECT s.target_id,
            s.dbid,
            s.oid,
            s.captured_at AS until,
            s.statistics AS now,
            lag(s.captured_at) OVER w AS since,
            lag(s.statistics) OVER w AS past
           FROM relation_statistics s
          WHERE (s.kind = 'table'::text)
          WINDOW w AS (PARTITION BY s.target_id, s.dbid, s.oid ORDER BY s.captured_at)) r
     CROSS JOIN LATERAL jsonb_to_record(r.now) n(total_bytes bigint, table_bytes bigint, reltuples double precision, n_live_tup bigint, n_dead_tup bigint, n_tup_ins double precision, n_tup_upd double precision, n_tup_del double precision, n_tup_hot_upd double precision, seq_scan double precision, seq_tup_read double precision, idx_scan double precision, last_analyze_at timestamp with time zone))
     CROSS JOIN LATERAL jsonb_to_record(r.past) p(total_bytes bigint, n_tup_ins double precision, n_tup_upd double precision, n_tup_del double precision, n_tup_hot_upd double precision, seq_scan double precision, seq_tup_read double precision, idx_scan double precision))
     CROSS JOIN LATERAL ( SELECT (EXTRACT(epoch FROM (r.until - r.since)))::double precision AS seconds,
                CASE
                    WHEN ((n.n_tup_ins >= p.n_tup_ins) AND (n.n_tup_upd >= p.n_tup_upd) AND (n.n_tup_del >= p.n_tup_del) AND (n.seq_scan >= p.seq_scan) AND (n.idx_scan >= p.idx_scan)) THEN (EXTRACT(epoch FROM (r.until - r.since)))::double precision
                    ELSE NULL::double precision
                END AS counted_seconds) x)
     JOIN targets t ON ((t.id = r.target_id)))
     JOIN databases b ON (((b.target_id = r.target_id) AND (b.dbid = r.dbid))))
     LEFT JOIN LATERAL ( SELECT (c.definition ->> 'schema'::text) AS schema_name,
            (c.definition ->> 'name'::text) AS table_name
           FROM catalog_objects c
          WHERE ((c.target_id = r.target_id) AND (c.dbid = r.dbid) AND (c.kind = 'table'::text) AND (c.object = (r.oid)::text) AND (c.since <= r.until))
          ORDER BY c.since DESC
         LIMIT 1) o ON (true))
  WHERE (r.since IS NOT NULL);

COMMENT ON VIEW pgadvisor.table_statistics IS 'One row is what changed in a table between two readings of pg_stat_all_tables, as rates. A reading is kept only where it differs from the one before: the first rates after a quiet time are spread over it.';

COMMENT ON COLUMN pgadvisor.table_statistics.table_name IS 'As it was called then.';

COMMENT ON COLUMN pgadvisor.table_statistics.total_bytes IS 'At until, with indexes and TOAST.';

COMMENT ON COLUMN pgadvisor.table_statistics.table_bytes IS 'At until, without indexes.';

COMMENT ON COLUMN pgadvisor.table_statistics.grown_bytes IS 'Since the reading before; negative: it shrank.';

COMMENT ON COLUMN pgadvisor.table_statistics.reltuples IS 'Rows as the planner counts them, at until.';

COMMENT ON COLUMN pgadvisor.table_statistics.n_tup_ins_per_second IS 'Rows inserted; null, as the other rates, where the statistics were reset in between.';

COMMENT ON COLUMN pgadvisor.table_statistics.n_tup_upd_per_second IS 'Rows updated.';

COMMENT ON COLUMN pgadvisor.table_statistics.n_tup_del_per_second IS 'Rows deleted.';

COMMENT ON COLUMN pgadvisor.table_statistics.n_tup_hot_upd_per_second IS 'Rows updated without touching an index.';

COMMENT ON COLUMN pgadvisor.table_statistics.seq_tup_read_per_second IS 'Rows read by sequential scans.';

COMMENT ON COLUMN pgadvisor.table_statistics.last_analyze_at IS 'By ANALYZE or autovacuum, as of until.';

CREATE VIEW pgadvisor.targets AS
 SELECT t.id AS target_id,
    t.name AS target,
    t.kind,
    t.system_identifier,
        CASE
            WHEN t.in_recovery THEN 'replica'::text
            WHEN (NOT t.in_recovery) THEN 'primary'::text
            ELSE NULL::text
        END AS role,
        CASE
            WHEN t.in_recovery THEN ( SELECT min(p.name) AS min
               FROM targets p
              WHERE ((p.system_identifier = t.system_identifier) AND (NOT p.in_recovery) AND (p.removed_at IS NULL)))
            ELSE NULL::text
        END AS primary_target,
    t.server_version_num,
    (((t.server_version_num / 10000) || '.'::text) || (t.server_version_num % 10000)) AS server_version,
    s.extension_version,
    t.first_seen_at,
    t.last_seen_at,
    s.captured_at AS last_snapshot_at,
    (EXTRACT(epoch FROM (now() - s.captured_at)))::double precision AS lag_seconds,
    t.replay_lag_ms,
    t.interval_seconds,
    t.paused_at,
    t.removed_at,
        CASE
            WHEN (t.retry_at > now()) THEN 'open'::text
            WHEN (t.retry_at IS NOT NULL) THEN 'half-open'::text
            ELSE 'closed'::text
        END AS circuit,
    t.failures,
    t.retry_at,
    t.last_error,
    t.last_error_at,
    t.clock_skew_ms,
    t.log_problem,
    s.statements,
    s.hidden AS hidden_statements,
    s.hidden_exec_time AS hidden_exec_time_ms
   FROM (targets t
     LEFT JOIN LATERAL ( SELECT snapshots.captured_at,
            snapshots.extension_version,
            snapshots.statements,
            snapshots.hidden,
            snapshots.hidden_exec_time
           FROM snapshots
          WHERE (snapshots.target_id = t.id)
          ORDER BY snapshots.id DESC
         LIMIT 1) s ON (true));

COMMENT ON VIEW pgadvisor.targets IS 'One row is one watched server, or one source of history without a server.';

COMMENT ON COLUMN pgadvisor.targets.target IS 'Its name.';

COMMENT ON COLUMN pgadvisor.targets.kind IS 'server: collected from; log: only its log was read; import: only history was imported.';

COMMENT ON COLUMN pgadvisor.targets.system_identifier IS 'Of the cluster: a primary and its replicas share one. It changes with a major upgrade.';

COMMENT ON COLUMN pgadvisor.targets.role IS 'primary or replica; null while not known.';

COMMENT ON COLUMN pgadvisor.targets.primary_target IS 'The watched primary of a replica.';

COMMENT ON COLUMN pgadvisor.targets.extension_version IS 'Of pg_stat_statements at the last reading.';

COMMENT ON COLUMN pgadvisor.targets.last_seen_at IS 'When it answered last.';

COMMENT ON COLUMN pgadvisor.targets.last_snapshot_at IS 'When its counters were read last, by its own clock.';

COMMENT ON COLUMN pgadvisor.targets.lag_seconds IS 'Time since its counters were read last.';

COMMENT ON COLUMN pgadvisor.targets.replay_lag_ms IS 'How far a replica is behind its primary in replaying; null on a primary.';

COMMENT ON COLUMN pgadvisor.targets.interval_seconds IS 'How often it is read, where that differs from PGADVISOR_INTERVAL.';

COMMENT ON COLUMN pgadvisor.targets.paused_at IS 'Since when nothing is collected from it.';

COMMENT ON COLUMN pgadvisor.targets.removed_at IS 'Since when it is no longer watched.';

COMMENT ON COLUMN pgadvisor.targets.circuit IS 'closed: it is read; open: it failed and is left alone until retry_at; half-open: the next try decides.';

COMMENT ON COLUMN pgadvisor.targets.failures IS 'Failures in a row.';

COMMENT ON COLUMN pgadvisor.targets.last_error IS 'Why the last attempt failed; null after a success.';

COMMENT ON COLUMN pgadvisor.targets.clock_skew_ms IS 'Its clock minus ours at the last reading.';

COMMENT ON COLUMN pgadvisor.targets.log_problem IS 'Why its log cannot be read; null when it can.';

COMMENT ON COLUMN pgadvisor.targets.statements IS 'Entries of pg_stat_statements in the last snapshot.';

COMMENT ON COLUMN pgadvisor.targets.hidden_statements IS 'Of the entries, those hidden from our role.';

COMMENT ON COLUMN pgadvisor.targets.hidden_exec_time_ms IS 'Time of the hidden entries since the counters were reset.';

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

ALTER TABLE gaps ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME gaps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE imported_spans ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME imported_spans_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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

ALTER TABLE plans ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME plans_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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
WITH (fillfactor='45');

COMMENT ON TABLE statement_counters IS 'One row is an entry of the last snapshot, cumulative: the baseline of the next interval.';

ALTER TABLE statements ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME statements_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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
    ADD CONSTRAINT plan_hours_pkey PRIMARY KEY (plan_id, hour, target_id);

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

ALTER TABLE ONLY target_hours
    ADD CONSTRAINT target_hours_pkey PRIMARY KEY (target_id, hour);

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

CREATE INDEX database_intervals_unmerged_idx ON database_intervals USING btree (target_id, until) WHERE (NOT is_merged);

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

CREATE INDEX snapshots_captured_at_idx ON snapshots USING btree (target_id, captured_at);

CREATE INDEX snapshots_target_idx ON snapshots USING btree (target_id, id);

CREATE INDEX statement_deltas_statement_idx ON ONLY statement_deltas USING btree (target_id, statement_id, until);

CREATE INDEX statement_hours_hour_idx ON ONLY statement_hours USING btree (target_id, hour);

CREATE INDEX statements_queryid_idx ON statements USING btree (target_id, queryid);

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

ALTER TABLE ONLY statements
    ADD CONSTRAINT statements_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY target_checks
    ADD CONSTRAINT target_checks_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY target_hours
    ADD CONSTRAINT target_hours_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY unexplained
    ADD CONSTRAINT unexplained_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;

ALTER TABLE ONLY workload_patterns
    ADD CONSTRAINT workload_patterns_target_id_fkey FOREIGN KEY (target_id) REFERENCES targets(id) ON DELETE CASCADE;
