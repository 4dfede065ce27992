-- The spine: what was asked, what followed, and where each reader of the log stands.
-- Paths (subject, check_key) are written in monitor/model.py; times are UTC; ranges are half-open.

-- Every version of the catalogue ever in force.
create table catalogue (
    serial     bigint generated always as identity primary key,
    sha256     text        not null,
    valid_from timestamptz not null,
    document   text        not null  -- JSON of monitor.model.Catalogue
);

-- Who summed into whom, and when: service -> entity, channel -> service, entity -> government.
create table membership (
    subject text      not null,
    parent  text      not null,
    during  tstzrange not null
);
create unique index membership_once on membership (subject, parent, lower(during));

-- One row per attempt. The first measured row of an identity stays; a measured one replaces an unmeasured one.
create table observation (
    check_key   text        not null,
    vantage     text        not null,
    due         timestamptz not null,
    attempt     smallint    not null,
    outcome     text        not null,
    reason      text        not null,
    sentence    text        not null,
    every_ms    integer     not null,
    late_ms     integer     not null,
    took_ms     real        not null,
    phases_ms   jsonb       not null,
    status      smallint,
    size_bytes  bigint,
    certificate_expires timestamptz,
    failed      jsonb,
    serial      bigint      not null,
    skewed      boolean     not null,   -- the prober's clock was off by more than the setting
    beyond      boolean     not null,   -- older than the late horizon: kept, not judged
    known_at    timestamptz not null default now(),
    primary key (check_key, vantage, due, attempt)
) partition by range (due);

-- Beats nobody answered for: from first_due to last_due, both of them beats.
create table gap (
    check_key text        not null,
    vantage   text        not null,
    first_due timestamptz not null,
    last_due  timestamptz not null,
    beats     integer     not null,
    why       text        not null,    -- no_heartbeat | missed
    known_at  timestamptz not null default now(),
    primary key (check_key, vantage, first_due),
    check (first_due <= last_due and beats > 0)
);

-- Probers alive: one row per beat of the heart.
create table heartbeat (
    vantage text        not null,
    prober  text        not null,
    at      timestamptz not null,
    checks  integer     not null,
    skew_ms integer     not null,
    primary key (vantage, at, prober)
);

-- What became true when. Withdrawn and added, never rewritten: `at` when it was true, `known_at` and
-- `withdrawn_at` when we held it. `tx` is the last transaction that touched the row: followers read
-- "tx < the snapshot's xmin, after (tx, id)", and so see a withdrawal too.
create table change (
    id           bigint generated always as identity primary key,
    tx           xid8        not null default pg_current_xact_id(),
    layer        text        not null,  -- vantage | check | measured | effective
    subject      text        not null,
    at           timestamptz not null,
    verdict      text        not null,  -- up | degraded | unknown | down
    reason       text        not null,  -- of probes.contract.Reason, or dependency | silence
    cause        text        not null,  -- path of the system behind it, or empty
    evidence     jsonb       not null,  -- the attempts that confirmed it
    serial       bigint      not null,
    known_at     timestamptz not null default now(),
    withdrawn_at timestamptz
);
create unique index change_standing on change (subject, layer, at) where withdrawn_at is null;
create index change_follow on change (tx, id);
create index change_subject on change (subject, layer, at desc);

-- Where the judge of a subject's own checks stands (monitor/judge/subject.py), locked in key order.
create table state (
    subject   text     primary key,
    cluster   text     not null,
    partition smallint not null,
    document  text     not null
);
create index state_partition on state (cluster, partition);

-- Where each reader of the log stands: the fence, and the clock of the partition.
create table stream_offset (
    cluster      text        not null,
    topic        text        not null,
    partition    smallint    not null,
    next         bigint      not null,
    last_at      timestamptz,             -- timestamp of record next - 1
    last_crc     bigint,                  -- CRC-32 of its key and value
    judged_until timestamptz,
    primary key (cluster, topic, partition)
);

-- Records that could not be read, kept whole with the reason.
create table dead_letter (
    cluster    text        not null,
    topic      text        not null,
    partition  smallint    not null,
    "offset"   bigint      not null,
    reason     text        not null,
    detail     text        not null,
    key        bytea,
    value      bytea,
    known_at   timestamptz not null default now(),
    retried_at timestamptz,
    primary key (cluster, topic, partition, "offset")
);

-- Leadership by PostgreSQL's clock; every leader transaction begins by locking its row with its epoch.
create table lease (
    role   text        primary key,
    holder text        not null,
    epoch  bigint      not null,
    until  timestamptz not null
);

-- How far a follower of `change` has come, and when it last said so.
create table follower (
    role   text        primary key,
    tx     xid8        not null,
    id     bigint      not null,
    serial bigint      not null,   -- version of the catalogue it last worked under
    at     timestamptz not null
);

-- A catalogue edit that was refused: one row, emptied when the next edit is good.
create table refused (
    single   boolean     primary key default true check (single),
    problems jsonb       not null,
    at       timestamptz not null
);

-- Named secrets people and programs write with; only hashes are here.
create table token (
    name       text        primary key,
    role       text        not null,    -- viewer | coordinator | operator | committee | sender
    entities   text[]      not null default '{}',
    sha256     bytea       not null unique,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);

-- One-time sign-in links.
create table sign_in (
    sha256  bytea       primary key,
    token   text        not null references token (name),
    expires timestamptz not null,
    used_at timestamptz
);

-- Browser sessions that a token or a sign-in link opened.
create table session (
    sha256  bytea       primary key,
    token   text        not null references token (name),
    expires timestamptz not null
);

create table audit (
    id     bigint generated always as identity primary key,
    tx     xid8        not null default pg_current_xact_id(),
    at     timestamptz not null default now(),
    actor  text        not null,
    action text        not null,
    object text        not null,
    detail jsonb       not null default '{}'
);
