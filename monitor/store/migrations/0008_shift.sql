-- What people do with incidents, and the hand-over of a shift.

-- How often people changed incidents. Whoever changes one raises it first, and so waits for whoever is at it;
-- derive's leader looks at it under lock before it writes, so neither overwrites what the other just wrote.
create table incident_desk (
    one     boolean primary key default true check (one),
    edition bigint  not null default 0
);
insert into incident_desk default values;

-- Beside the document, for readers that ask by them.
alter table incident
    add column opened_by text not null default '',  -- by hand; empty is the monitor itself
    add column ruling    text check (ruling in ('confirmed', 'rejected'));  -- a person's, on a suspected cause
-- incident_note.kind may also be: asked | cause_confirmed | cause_rejected | summary

-- What one shift tells the next, under a name; never edited.
create table hand_over (
    id     bigint generated always as identity primary key,
    since  timestamptz not null,  -- the shift began
    at     timestamptz not null default now(),
    author text        not null,
    text   text        not null,
    check (since < at)
);
create index hand_over_at on hand_over (at);
