-- one row: a recommendation, highest roi_score first
select r.id, t.name as target, r.database_name, r.rule, r.key, r.title, r.statement, r.undo,
       r.reasoning, r.queryids, r.effects, r.evidence_level, r.evidence, r.risk, r.factors,
       r.confidence_score, r.estimated_improvement_percent, r.improvement_low_percent,
       r.improvement_high_percent, r.frequency, r.current_impact, r.urgency_score, r.roi_score,
       r.state, r.state_reason, r.created_at, r.updated_at
from optimization_recommendations r
join targets t on t.id = r.target_id
where (%(id)s::bigint is null or r.id = %(id)s)
  and (%(target)s::text is null or t.name = %(target)s)
  and (%(database)s::text is null or r.database_name = %(database)s)
  and (%(queryids)s::bigint[] is null or r.queryids && %(queryids)s::bigint[])
  and (%(states)s::text[] is null or r.state = any (%(states)s))
  and (%(rule)s::text is null or r.rule = %(rule)s)
  and (%(min_roi)s::float8 is null or r.roi_score >= %(min_roi)s)
  and (%(after_score)s::float8 is null or (r.roi_score, -r.id) < (%(after_score)s, -%(after_id)s::bigint))
order by r.roi_score desc, r.id
limit %(limit)s
