-- What Grafana calls maintenance is planned work alone. An outage or a fault that somebody filed is what it is,
-- and takes no row of a timeline: what was measured then is there already.

create or replace view grafana.exclusion as
    select id, case filing when 'work' then kind else filing end as kind, s.subject, lower(during) as start,
           case when finished_at < upper(during) then greatest(finished_at, lower(during))
                else upper(during) end as "end",
           why, announced_at, announced_by, extends, approved_at, approved_by, finished_at,
           case when approved_at is not null then 'approved'
                when rejected_at is not null then 'rejected' else 'announced' end as stands
      from exclusion, unnest(subjects) s(subject);

create or replace view grafana.mark as
    select 'incident' as kind, since as start, closed_at as "end", number || ' · ' || name as text,
           array[verdict, severity, sign, number] as tags, array[subject] || services as subjects
      from grafana.incident where state <> 'absorbed'
    union all
    select e.kind, e.start, e."end", e.why, array[e.kind, e.stands], array_agg(e.subject order by e.subject)
      from grafana.exclusion e where e.start < e."end"
     group by e.id, e.kind, e.start, e."end", e.why, e.stands;

-- As before, of planned work alone; what was called off before it began took no time.
create or replace function grafana.announced(subjects text[], from_at timestamptz, to_at timestamptz)
returns table ("time" timestamptz, code integer)
language sql stable parallel safe as $$
    with held as (
        select distinct start, "end", case kind when 'out_of_hours' then 5 else 4 end as code
          from grafana.exclusion
         where subject = any (subjects) and kind in ('maintenance', 'out_of_hours')
           and start < "end" and start < to_at and "end" > from_at
    )
    select greatest(start, from_at), code from held
    union all
    select "end", null from held a
     where "end" < to_at and not exists (select from held b where b.start <= a."end" and b."end" > a."end")
    order by 1
$$;
