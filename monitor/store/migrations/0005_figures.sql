-- Figures: how long everything was in which state, period by period, and what is not counted.
-- Only monitor/judge/accounting.py writes figures; everybody else reads them.

-- Announced stretches of time. Rows are added; approval and an early end are noted once and never changed.
create table exclusion (
    id           bigint generated always as identity primary key,
    kind         text        not null,              -- maintenance | out_of_hours
    subjects     text[]      not null,              -- paths; a service stands for its channels too
    during       tstzrange   not null,
    why          text        not null,
    announced_at timestamptz not null default now(),
    announced_by text        not null,
    extends      bigint      references exclusion (id),
    approved_at  timestamptz,
    approved_by  text,
    finished_at  timestamptz,
    finished_by  text,
    check (not isempty(during) and lower_inc(during) and not upper_inc(during)
           and not lower_inf(during) and not upper_inf(during) and cardinality(subjects) > 0),
    check ((approved_at is null) = (approved_by is null) and (finished_at is null) = (finished_by is null))
);
create index exclusion_during on exclusion using gist (during);

-- A figure per subject, zone and period. `whole_` is without exclusions. Percentages are cut to the decimals of
-- the policy when they are stored, so that every reader prints the same digits; null where there is no figure.
create table figure (
    subject  text        not null,
    zone     text        not null,
    kind     text        not null,  -- day | week | month | quarter | year | 7d | 28d
    start    timestamptz not null,
    "end"    timestamptz not null,
    as_of    timestamptz not null,  -- judged up to here; after it nothing is counted
    computed_at timestamptz not null default now(),
    says               text    not null,  -- figure | no_data | insufficient_data | not_applicable
    availability       numeric,
    coverage           numeric,
    up_ms              bigint  not null,
    degraded_ms        bigint  not null,
    unknown_ms         bigint  not null,
    down_ms            bigint  not null,
    maintenance_ms     bigint  not null,
    out_of_hours_ms    bigint  not null,
    outages            integer not null,
    longest_ms         bigint  not null,
    restored           integer not null,  -- outages that ended in the period, after restored_ms together
    restored_ms        bigint  not null,
    edges              text    not null,  -- JSON: what was down at the edges, to join outages over them
    whole_says         text    not null,
    whole_availability numeric,
    whole_coverage     numeric,
    whole_up_ms           bigint  not null,
    whole_degraded_ms     bigint  not null,
    whole_unknown_ms      bigint  not null,
    whole_down_ms         bigint  not null,
    whole_maintenance_ms  bigint  not null,
    whole_out_of_hours_ms bigint  not null,
    whole_outages         integer not null,
    whole_longest_ms      bigint  not null,
    whole_restored        integer not null,
    whole_restored_ms     bigint  not null,
    whole_edges           text    not null,
    primary key (zone, kind, start, subject)
) with (fillfactor = 70);  -- figures that go on are written again and again, in place
create index figure_subject on figure (subject, zone, kind, start desc);

-- How far a zone has been accounted, and under which terms: other terms (policy, week) begin anew.
create table figure_clock (
    zone  text        primary key,
    until timestamptz not null,
    terms text        not null
);

-- Figures that no longer hold: of `subject`, from then on (until then, where it is known).
create table figure_dirty (
    id      bigint generated always as identity primary key,
    subject text        not null,
    since   timestamptz not null,
    until   timestamptz
);

-- Systems exist from the version in force on, as services and channels already do.
insert into membership (subject, parent, during)
select distinct 'system:' || coalesce(s -> 'was' ->> 0, s ->> 'slug'), 'systems', tstzrange(c.valid_from, null)
  from (select document::jsonb as document, valid_from from catalogue order by serial desc limit 1) c,
       jsonb_array_elements(c.document -> 'systems') s;

-- What Grafana reads.
create schema if not exists grafana;

create view grafana.availability as
    select subject, split_part(subject, ':', 1) as subject_kind,
           case when subject like '%:%' then split_part(subject, ':', 2) else subject end as slug,
           zone, kind as period, start, "end", as_of, computed_at, says,
           availability, coverage, whole_availability as availability_without_exclusions,
           up_ms / 1000.0 as up_seconds, degraded_ms / 1000.0 as degraded_seconds,
           unknown_ms / 1000.0 as unknown_seconds, down_ms / 1000.0 as down_seconds,
           maintenance_ms / 1000.0 as maintenance_seconds,
           out_of_hours_ms / 1000.0 as out_of_hours_seconds,
           whole_down_ms / 1000.0 as down_seconds_without_exclusions,
           outages, longest_ms / 1000.0 as longest_seconds,
           restored_ms / 1000.0 / nullif(restored, 0) as mean_restore_seconds
      from figure;

create view grafana.exclusion as
    select id, kind, s.subject, lower(during) as start,
           case when finished_at < upper(during) then greatest(finished_at, lower(during))
                else upper(during) end as "end",
           why, announced_at, announced_by, extends, approved_at, approved_by, finished_at
      from exclusion, unnest(subjects) s(subject);

create view grafana.service as
    select 'service:' || coalesce(s -> 'was' ->> 0, s ->> 'slug') as subject, s ->> 'slug' as slug,
           s ->> 'entity' as entity, s -> 'name' ->> 'en' as name, s -> 'name' ->> 'ar' as name_ar
      from (select document::jsonb as document from catalogue where valid_from <= now()
             order by serial desc limit 1) c,
           jsonb_array_elements(c.document -> 'services') s;

do $$
begin
    if exists (select from pg_roles where rolname = 'grafana') then
        grant usage on schema grafana to grafana;
        grant select on all tables in schema grafana to grafana;
    end if;
end
$$;
