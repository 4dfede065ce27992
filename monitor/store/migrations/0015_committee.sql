-- What the committee agreed in its meetings, and what it asked. Settled once, never edited, never deleted.

create table committee_action (
    id        bigint generated always as identity primary key,
    what      text        not null,
    who       text        not null,  -- sees to it
    due       date        not null,  -- the last day to do it, where the catalogue is
    agreed_at timestamptz not null default now(),
    agreed_by text        not null,
    done_at   timestamptz,
    done_by   text,
    result    text        not null default '',
    check ((done_at is null) = (done_by is null))
);
create index committee_action_open on committee_action (due, id) where done_at is null;

create table inquiry (
    id          bigint generated always as identity primary key,
    question    text        not null,
    owner       text        not null,  -- answers it
    due         date        not null,
    label       text        not null default '',  -- the report it came up in; empty: in none
    version     integer     check (version > 0),
    code        text        not null default '',  -- the figure it is about; empty: about none
    asked_at    timestamptz not null default now(),
    asked_by    text        not null,
    answered_at timestamptz,
    answered_by text,
    answer      text        not null default '',
    check ((answered_at is null) = (answered_by is null)),
    check ((label = '') = (version is null))
);
create index inquiry_open on inquiry (due, id) where answered_at is null;
