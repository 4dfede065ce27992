-- What Grafana's dashboards read: views and one function in schema grafana, for a role that may read them alone.
-- They put rows side by side. Nothing is judged, counted or averaged here.

-- Everybody in the catalogue in force, by path.
create view grafana.document as
    select document::jsonb as document from catalogue where valid_from <= now() order by serial desc limit 1;

create view grafana.entity as
    select 'entity:' || coalesce(e -> 'was' ->> 0, e ->> 'slug') as subject, e ->> 'slug' as slug,
           coalesce(e -> 'name' ->> 'en', e -> 'name' ->> 'ar', e ->> 'slug') as name,
           coalesce(e ->> 'runbook', '') as runbook
      from grafana.document, jsonb_array_elements(document -> 'entities') e;

create view grafana.system as
    select 'system:' || coalesce(s -> 'was' ->> 0, s ->> 'slug') as subject, s ->> 'slug' as slug,
           coalesce(s -> 'name' ->> 'en', s -> 'name' ->> 'ar', s ->> 'slug') as name,
           coalesce(s ->> 'kind', 'shared') as kind, coalesce(s ->> 'entity', '') as entity,
           coalesce(s ->> 'runbook', '') as runbook
      from grafana.document, jsonb_array_elements(document -> 'systems') s;

create view grafana.channel as
    select c ->> 'subject' as subject, s ->> 'slug' as service, coalesce(s ->> 'entity', '') as entity,
           c ->> 'slug' as slug, c ->> 'kind' as kind, coalesce((c ->> 'remote')::boolean, true) as remote,
           coalesce((c ->> 'completes')::boolean, true) as completes, coalesce(c ->> 'url', '') as url
      from grafana.document, jsonb_array_elements(document -> 'services') s,
           jsonb_array_elements(s -> 'channels') c;

-- Each check of a channel at each vantage point, by the path its verdicts have.
create view grafana.vantage as
    select (c ->> 'subject') || '/' || coalesce(k ->> 'name', 'main') || '@' || v.vantage as subject,
           c ->> 'subject' as channel, s ->> 'slug' as service, v.vantage
      from grafana.document, jsonb_array_elements(document -> 'services') s,
           jsonb_array_elements(s -> 'channels') c, jsonb_array_elements(c -> 'checks') k,
           jsonb_array_elements_text(coalesce(k -> 'vantages', '["main"]')) v(vantage);

-- Any subject with the words people know it by; `entity` is its own slug or its owner's.
create view grafana.subject as
    select 'government' as subject, 'government' as kind, 'government' as slug,
           coalesce(document -> 'government' ->> 'en', document -> 'government' ->> 'ar', 'Government') as name,
           '' as entity, '' as service
      from grafana.document
    union all select subject, 'entity', slug, name, slug, '' from grafana.entity
    union all select subject, 'system', slug, name, entity, '' from grafana.system
    union all select subject, 'service', slug, coalesce(name, name_ar, slug), coalesce(entity, ''), slug
                from grafana.service
    union all select subject, 'channel', slug, service || '/' || slug, entity, service from grafana.channel;

create view grafana.policy as
    select coalesce((document -> 'policy' ->> 'target')::numeric, 0.95) as target,
           coalesce(document -> 'policy' ->> 'missing', 'exclude') as missing,
           coalesce((document -> 'policy' ->> 'degraded_counts')::boolean, true) as degraded_counts,
           coalesce((document -> 'policy' ->> 'coverage_gate')::numeric, 0.9) as coverage_gate,
           coalesce(document ->> 'zone', 'UTC') as zone
      from grafana.document;

-- Whom to call.
create view grafana.contact as
    select o.kind || ':' || coalesce(o.thing -> 'was' ->> 0, o.thing ->> 'slug') as subject, o.kind,
           o.thing ->> 'slug' as slug, coalesce(c -> 'role' ->> 'en', c -> 'role' ->> 'ar') as role,
           coalesce(c -> 'name' ->> 'en', c -> 'name' ->> 'ar', '') as name, coalesce(c ->> 'phone', '') as phone,
           coalesce(c ->> 'mail', '') as mail, coalesce(c ->> 'hours', '') as hours
      from (select 'entity' as kind, jsonb_array_elements(document -> 'entities') as thing from grafana.document
            union all
            select 'system', jsonb_array_elements(document -> 'systems') from grafana.document) o,
           jsonb_array_elements(o.thing -> 'contacts') c;

-- Who declares to need which system, and what that does to it. `service` and `entity` are the dependant's.
create view grafana.dependency as
    select d ->> 'system' as system, c ->> 'subject' as dependant, 'channel' as kind, s ->> 'slug' as service,
           coalesce(s ->> 'entity', '') as entity, coalesce(d ->> 'effect', 'blocks') as effect
      from grafana.document, jsonb_array_elements(document -> 'services') s,
           jsonb_array_elements(s -> 'channels') c, jsonb_array_elements(c -> 'depends') d
    union all
    select d ->> 'system', 'system:' || coalesce(s -> 'was' ->> 0, s ->> 'slug'), 'system', '',
           coalesce(s ->> 'entity', ''), coalesce(d ->> 'effect', 'blocks')
      from grafana.document, jsonb_array_elements(document -> 'systems') s,
           jsonb_array_elements(s -> 'depends') d;

-- What each system takes with it when it is down: services whose every remote channel that completes them is
-- blocked by it, by itself or through other systems.
create view grafana.blast as
    with recursive edge as materialized (select * from grafana.dependency where effect = 'blocks'),
    falls (system, too) as (
        select subject, subject from grafana.system
        union
        select falls.system, edge.dependant from falls join edge on edge.system = falls.too
         where edge.kind = 'system'
    ),
    blocked as (
        select distinct falls.system, edge.dependant as channel
          from falls join edge on edge.system = falls.too where edge.kind = 'channel'
    ),
    counting as materialized (select * from grafana.channel where remote and completes)
    select blocked.system, counting.service, counting.entity
      from counting left join blocked on blocked.channel = counting.subject
     where blocked.system is not null
     group by blocked.system, counting.service, counting.entity
    having count(*) = (select count(*) from counting every where every.service = counting.service);

-- Every standing change with the number its verdict has in timelines, and the sentence of the first attempt
-- that confirmed it. A vantage point's subject is `service:passport/web/main@dubai`.
create view grafana.change as
    select subject, layer, at, verdict, array_position('{up,degraded,unknown,down}', verdict) - 1 as code,
           reason, cause, coalesce(evidence -> 0 ->> 'sentence', '') as sentence, known_at, serial
      from change where withdrawn_at is null;

-- Verdicts of these subjects from one instant to another: where each stood at the beginning, each change, and
-- where it stands at the end.
create function grafana.timeline(subjects text[], in_layer text, from_at timestamptz, to_at timestamptz)
returns table (subject text, "time" timestamptz, code integer)
language sql stable parallel safe as $$
    with stood as (
        select s.subject, b.code from unnest(subjects) s(subject),
               lateral (select c.code from grafana.change c
                         where c.subject = s.subject and c.layer = in_layer and c.at <= from_at
                         order by c.at desc limit 1) b
    ), moved as (
        select c.subject, c.at, c.code from grafana.change c
         where c.subject = any (subjects) and c.layer = in_layer and c.at > from_at and c.at <= least(to_at, now())
    ), said as (
        select stood.subject, from_at as at, stood.code from stood union all select * from moved
    )
    select * from said
    union all
    (select distinct on (said.subject) said.subject, least(to_at, now()), said.code
       from said order by said.subject, said.at desc)
    order by 1, 2
$$;

-- Announced work as a row of the same timelines: 4 is maintenance, 5 is out of hours, none is empty.
create function grafana.announced(subjects text[], from_at timestamptz, to_at timestamptz)
returns table ("time" timestamptz, code integer)
language sql stable parallel safe as $$
    with held as (
        select distinct start, "end", case kind when 'out_of_hours' then 5 else 4 end as code
          from grafana.exclusion where subject = any (subjects) and start < to_at and "end" > from_at
    )
    select greatest(start, from_at), code from held
    union all
    select "end", null from held a
     where "end" < to_at and not exists (select from held b where b.start <= a."end" and b."end" > a."end")
    order by 1
$$;

-- Outages of services, channels and systems: intervals of down; the end is empty while they last.
create view grafana.outage as
    select c.subject, c.at as start, n.at as "end", c.reason, c.cause,
           coalesce(c.evidence -> 0 ->> 'sentence', '') as sentence
      from change c
      left join lateral (select at from change n
                          where n.subject = c.subject and n.layer = 'effective' and n.withdrawn_at is null
                            and n.at > c.at and n.verdict <> 'down'
                          order by n.at limit 1) n on true
     where c.layer = 'effective' and c.verdict = 'down' and c.withdrawn_at is null
       and 'down' is distinct from (select p.verdict from change p
                                     where p.subject = c.subject and p.layer = 'effective'
                                       and p.withdrawn_at is null and p.at < c.at
                                     order by p.at desc limit 1);

create view grafana.incident as
    select number, i.subject, coalesce(s.name, i.subject) as name, sign, state, severity, verdict, suspected,
           since, opened_at, closed_at, absorbed_by, cardinality(services) as services_taken,
           cardinality(channels) as channels_taken, services, acknowledged_at, acknowledged_by
      from incident i left join grafana.subject s on s.subject = i.subject;

create view grafana.incident_note as
    select incident, kind, at, known_at, author, text from incident_note;

-- Marks over every panel: incidents from when it was true until they closed, and announced work. Which subjects
-- one touches is in `subjects`: paths, a service standing for its channels.
create view grafana.mark as
    select 'incident' as kind, since as start, closed_at as "end", number || ' · ' || name as text,
           array[verdict, severity, sign, number] as tags, array[subject] || services as subjects
      from grafana.incident where state <> 'absorbed'
    union all
    select e.kind, lower(e.during),
           case when e.finished_at < upper(e.during) then greatest(e.finished_at, lower(e.during))
                else upper(e.during) end,
           e.why, array[e.kind, case when e.approved_at is null then 'announced' else 'approved' end], e.subjects
      from exclusion e;

-- Missed transactions (estimate) of each outage, with its 90 % interval, and what was made up in the day after.
create view grafana.missed as
    select subject, began as start, ended as "end", expected, seen, missed, low, high, made_up, as_of from missed;

-- What is not as usual with a channel's transactions.
create view grafana.finding as
    select subject, kind, level, began as start, ended as "end", probability, expected, seen
      from finding where withdrawn_at is null;

-- Transactions counted, by the hour of the event.
create view grafana.counted_hour as
    select coalesce(c.service, split_part(h.service, ':', 2)) as service,
           coalesce(c.slug, split_part(h.channel, '/', 2)) as channel, coalesce(c.entity, '') as entity,
           h.outcome, h.hour, h.count, h.timed, h.duration_ms / 1000.0 as duration_seconds
      from counted_hour h left join grafana.channel c on c.subject = h.channel;

-- The role that Grafana signs in with: it reads these views and nothing else. Where we may not make roles,
-- whoever may makes it first, or grants the same afterwards (docs/grafana.md).
do $$
begin
    begin
        create role grafana nologin;
    exception when duplicate_object or unique_violation or insufficient_privilege then null;
    end;
    if exists (select from pg_roles where rolname = 'grafana') then
        grant usage on schema grafana to grafana;
        grant select on all tables in schema grafana to grafana;
        alter default privileges in schema grafana grant select on tables to grafana;
    end if;
end
$$;
