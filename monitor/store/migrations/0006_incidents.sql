-- What people handle: incidents, their timelines, and what is to be told of them.
-- Only derive's leader opens, raises and closes; people acknowledge and write notes.

create table incident (
    number      text        primary key,      -- INC-2026-0001
    tx          xid8        not null default pg_current_xact_id(),  -- the last that touched the row
    subject     text        not null,         -- path of a system or service, `government`, or of a check
    sign        text        not null,         -- unavailable | headline | down | degraded | certificate
    state       text        not null,         -- failing | steadying | closed | absorbed
    severity    text        not null,         -- info | warning | critical: the gravest so far
    verdict     text        not null,         -- the worst so far
    suspected   boolean     not null,         -- its own check never confirmed it
    since       timestamptz not null,         -- when it was true
    opened_at   timestamptz not null,         -- when we knew
    closed_at   timestamptz,
    absorbed_by text        references incident (number),
    services    text[]      not null,         -- every service it ever took
    channels    text[]      not null,
    document    text        not null,         -- JSON of monitor.judge.incidents.Incident
    acknowledged_at timestamptz,
    acknowledged_by text,
    check ((acknowledged_at is null) = (acknowledged_by is null)),
    check ((closed_at is null) = (state in ('failing', 'steadying'))),
    check ((absorbed_by is null) = (state <> 'absorbed'))
);
create unique index incident_open on incident (subject) where closed_at is null;
create index incident_closed on incident (closed_at);
create index incident_follow on incident (tx);

-- The timeline of an incident: what happened to it, and what people wrote.
create table incident_note (
    id       bigint generated always as identity primary key,
    tx       xid8        not null default pg_current_xact_id(),
    incident text        not null references incident (number),
    kind     text        not null,  -- opened | raised | failed_again | steady | closed | absorbed | reopened
                                    -- | acknowledged | note
    at       timestamptz not null,  -- when it was true
    known_at timestamptz not null default now(),
    author   text        not null default '',  -- of what people wrote; empty is the monitor itself
    text     text        not null default ''
);
create index incident_note_incident on incident_note (incident, id);
create index incident_note_follow on incident_note (tx, id);

-- The outbox: what people must be told, written in the transaction that makes it so. Its id is the key that
-- a repeated delivery carries.
create table notice (
    id       bigint generated always as identity primary key,
    tx       xid8        not null default pg_current_xact_id(),
    incident text        not null references incident (number),
    topic    text        not null,  -- first | raised | again | resolved
    severity text        not null,  -- warning | critical
    made_at  timestamptz not null default now()
);
create index notice_incident on notice (incident, id);
create index notice_follow on notice (tx, id);
