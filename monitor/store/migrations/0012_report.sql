-- Published reports, each version as it was frozen: these bytes and no others, for ever.

create table report_version (
    scope        text        not null,  -- government, or the subject of an entity
    label        text        not null,  -- 2026-W47 | 2026-11 | 2026-Q4 | 2026-11-01_2026-11-10
    version      integer     not null check (version > 0),
    tx           xid8        not null default pg_current_xact_id(),
    id           bigint generated always as identity unique,
    kind         text        not null,  -- week | month | quarter | range
    during       tstzrange   not null,
    as_of        timestamptz not null,  -- what was known then
    published_at timestamptz not null default clock_timestamp(),
    complete     boolean     not null,  -- false: the deadline had come, and the report says what was not in
    sample       boolean     not null,
    figures      text        not null,  -- JSON: those of everybody, by code, as they are in the document
    sha256       text        not null,
    document     text        not null,  -- JSON of monitor.report.document.Document
    primary key (scope, label, version),
    check (sha256 = encode(sha256(convert_to(document, 'UTF8')), 'hex'))
);
create index report_version_newest on report_version (scope, kind, during);
create index report_version_follow on report_version (tx, id);

create function report_is_frozen() returns trigger language plpgsql as $$
begin
    raise exception 'a published report never changes: publish a correction' using errcode = 'check_violation';
end
$$;
create trigger report_frozen before update or delete or truncate on report_version
    for each statement execute function report_is_frozen();

-- What Grafana reads: every figure of everybody, of every version, with the digits that were frozen.
create view grafana.report as
    select r.scope, r.label, r.version, r.kind, lower(r.during) as start, upper(r.during) as "end",
           r.as_of, r.published_at, r.complete, r.sample, f.key as code, f.value ->> 'says' as says,
           f.value ->> 'text' as text, f.value ->> 'low' as low, f.value ->> 'high' as high,
           r.version = max(r.version) over (partition by r.scope, r.label) as last
      from report_version r, jsonb_each(r.figures::jsonb) f;
