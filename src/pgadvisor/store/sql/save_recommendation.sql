-- one row: a recommendation, new or found again
insert into optimization_recommendations as r (target_id, database_name, rule, key, title, statement,
    undo, reasoning, queryids, effects, evidence_level, evidence, risk, factors, confidence_score,
    estimated_improvement_percent, improvement_low_percent, improvement_high_percent, frequency,
    current_impact, urgency_score, created_at, updated_at)
values (%(target_id)s, %(database)s, %(rule)s, %(key)s, %(title)s, %(statement)s,
    %(undo)s, %(reasoning)s, %(queryids)s, %(effects)s, %(evidence_level)s, %(evidence)s, %(risk)s,
    %(factors)s, %(confidence_score)s, %(estimated_improvement_percent)s,
    %(improvement_low_percent)s, %(improvement_high_percent)s, %(frequency)s, %(current_impact)s,
    %(urgency_score)s, %(now)s, %(now)s)
on conflict (target_id, database_name, key) do update
set title = excluded.title, statement = excluded.statement, undo = excluded.undo,
    reasoning = excluded.reasoning, queryids = excluded.queryids, effects = excluded.effects,
    evidence_level = excluded.evidence_level, evidence = excluded.evidence, risk = excluded.risk,
    factors = excluded.factors, confidence_score = excluded.confidence_score,
    estimated_improvement_percent = excluded.estimated_improvement_percent,
    improvement_low_percent = excluded.improvement_low_percent,
    improvement_high_percent = excluded.improvement_high_percent,
    frequency = excluded.frequency, current_impact = excluded.current_impact,
    urgency_score = excluded.urgency_score, updated_at = excluded.updated_at,
    state = case when r.state in ('proposed', 'accepted', 'rejected') then r.state else 'proposed' end,
    state_reason = case when r.state in ('proposed', 'accepted', 'rejected') then r.state_reason end
