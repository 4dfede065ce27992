-- What becomes of the outbox: each message to each receiver, until it was taken or given up.

-- When it was decided who gets it. What was written before anything could be sent wakes nobody now.
alter table notice add column routed_at timestamptz;
update notice set routed_at = now();
create index notice_unrouted on notice (id) where routed_at is null;

create table delivery (
    id          bigint generated always as identity primary key,
    notice      bigint      not null references notice (id),
    incident    text        not null,            -- of the notice; empty for a message of none
    receiver    text        not null,            -- name of a receiver, or `alertmanager/host:port`
    why         text        not null,            -- notice | second | reminder
    turn        int         not null default 0,  -- which reminder
    state       text        not null default 'waiting',
    made_at     timestamptz not null default now(),
    due_at      timestamptz not null default now(),
    tries       int         not null default 0,
    lease       text,                            -- whoever is at it holds this
    lease_until timestamptz,
    said        text        not null default '', -- what became of the last try, without any secret
    done_at     timestamptz,
    unique (notice, receiver, why, turn),
    check (state in ('waiting', 'sent', 'failed', 'dropped')),
    check ((state = 'waiting') = (done_at is null))
);
create index delivery_waiting on delivery (incident, receiver, id) where state = 'waiting';
create index delivery_incident on delivery (incident, id);

-- Keys that links are signed with. They never leave the database but into the process that signs.
create table signing_key (
    purpose text        primary key,
    key     bytea       not null,
    made_at timestamptz not null default now()
);
