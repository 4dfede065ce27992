-- What is usual, what differs from it, and what an outage cost. Estimates: made anew, never summed up.

-- The usual pattern of one channel by hour of week (monitor/judge/pattern.py), made anew at least daily.
create table pattern (
    channel   text        primary key,  -- path: service:passport/web
    service   text        not null,     -- path: service:passport
    document  text        not null,     -- JSON of monitor.judge.pattern.Pattern
    fitted_at timestamptz not null
);
create index pattern_service on pattern (service);

-- Where what is seen differs from what is expected. `tx` is the last transaction that touched the row:
-- followers read "tx < the snapshot's xmin, after (tx, id)", as in `change`.
create table finding (
    id           bigint generated always as identity primary key,
    tx           xid8             not null default pg_current_xact_id(),
    subject      text             not null,  -- path of a channel; government for one that is about most of them
    kind         text             not null,  -- silence | drop | failure_rate | surge
    level        text             not null,  -- shown | advisory | incident: the highest it reached
    began        timestamptz      not null,
    ended        timestamptz,
    probability  double precision not null,  -- of something as rare or rarer, were all as usual; the smallest yet
    expected     double precision not null,  -- transactions, over what was looked at then
    seen         bigint           not null,
    known_at     timestamptz      not null default now(),
    withdrawn_at timestamptz                 -- late events showed that it never was
);
create unique index finding_open on finding (subject, kind) where ended is null and withdrawn_at is null;
create index finding_follow on finding (tx, id);
create index finding_began on finding (began);
create index finding_subject on finding (subject, began);

-- Missed transactions (estimate) of one outage of a channel or service, and how many were made up.
-- Rows of channels may be added up, one row a stretch of time; a service's row is its channels together.
create table missed (
    subject      text             not null,  -- path of a service or channel
    began        timestamptz      not null,
    ended        timestamptz,                -- null while it lasts
    expected     double precision not null,  -- completed transactions, by the usual pattern
    seen         bigint           not null,
    missed       double precision not null,  -- expected less seen, never under 0
    low          double precision not null,  -- 90 % interval
    high         double precision not null,
    own          double precision not null,  -- variance that is this row's alone
    shared       double precision not null,  -- standard deviation that days and channels have in common
    made_up      double precision,           -- of the 24 h after the end so far; null while it lasts
    made_up_low  double precision,
    made_up_high double precision,
    made_up_done boolean          not null default false,  -- the 24 h have passed: made_up is not only "so far"
    as_of        timestamptz      not null,  -- counted until here
    known_at     timestamptz      not null default now(),
    primary key (subject, began)
);
create index missed_began on missed (began);

-- Outages are found by their beginnings.
create index change_down on change (at, subject)
    where layer = 'effective' and verdict = 'down' and withdrawn_at is null;
