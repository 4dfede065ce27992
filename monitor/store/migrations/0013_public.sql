-- What an operator adds for the public to an incident, and by when it promised to say more. Never edited.

create table public_message (
    id          bigint generated always as identity primary key,
    incident    text        not null references incident (number),
    ar          text        not null,  -- as it is published; empty: nothing is added in that language
    en          text        not null,
    next_update timestamptz,           -- the public was told to expect more by then
    said_at     timestamptz not null default now(),
    said_by     text        not null   -- never published
);
create index public_message_incident on public_message (incident, id);
