-- Reports on their way: drafts that wait for their reviewers, and every file that is sent to somebody.

-- A weekly report before it is published: the bytes it will be published with.
create table report_draft (
    scope        text        not null,
    label        text        not null,
    version      integer     not null check (version > 0),
    made_at      timestamptz not null default now(),
    review_until timestamptz not null,
    kind         text        not null,
    during       tstzrange   not null,
    as_of        timestamptz not null,
    complete     boolean     not null,
    sample       boolean     not null,
    figures      text        not null,
    sha256       text        not null,
    document     text        not null,
    signed_by    text,                 -- who signed it off; unset: its time was over
    released_at  timestamptz,          -- when it was published
    primary key (scope, label, version),
    check (sha256 = encode(sha256(convert_to(document, 'UTF8')), 'hex'))
);
create index report_draft_open on report_draft (review_until) where released_at is null;

create table report_delivery (
    id          bigint generated always as identity primary key,
    scope       text        not null,
    label       text        not null,
    version     integer     not null,
    stage       text        not null,            -- draft | published
    recipient   text        not null,            -- a name in the settings
    turn        integer     not null default 0,  -- how often somebody had it sent again
    state       text        not null default 'waiting',
    made_at     timestamptz not null default now(),
    due_at      timestamptz not null default now(),
    tries       integer     not null default 0,
    lease       text,                            -- whoever is at it holds this
    lease_until timestamptz,
    said        text        not null default '', -- what became of the last try, without any secret
    done_at     timestamptz,
    unique (scope, label, version, stage, recipient, turn),
    check (stage in ('draft', 'published')),
    check (state in ('waiting', 'sent', 'failed', 'dropped')),
    check ((state = 'waiting') = (done_at is null))
);
create index report_delivery_waiting on report_delivery (id) where state = 'waiting';
