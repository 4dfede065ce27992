-- What an entity answers about its outages and figures of a period, as it was written. Never edited, never
-- deleted: it is withdrawn, or a later one stands beside it.

create table report_reply (
    id           bigint generated always as identity primary key,
    entity       text        not null,             -- its subject
    label        text        not null,             -- the period: 2026-W47
    code         text        not null default '',  -- the figure it is about; empty: about none
    subject      text        not null default '',  -- the outage it is about: of which service or system
    began        timestamptz,                      -- and when that began
    incident     text        not null default '',  -- its number, where there is one
    ar           text        not null default '',
    en           text        not null default '',
    said_at      timestamptz not null default now(),
    said_by      text        not null,
    on_behalf    boolean     not null,             -- said_by is not of the entity
    withdrawn_at timestamptz,
    withdrawn_by text,
    check (ar <> '' or en <> ''),
    check (code = '' or subject = ''),
    check ((subject = '') = (began is null)),
    check ((withdrawn_at is null) = (withdrawn_by is null))
);
create index report_reply_label on report_reply (label, entity, id);

create function reply_stands() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if old.withdrawn_at is null and new.withdrawn_at is not null
           and to_jsonb(new) - '{withdrawn_at,withdrawn_by}'::text[]
             = to_jsonb(old) - '{withdrawn_at,withdrawn_by}'::text[] then
            return new;
        end if;
    end if;
    raise exception 'a reply is never edited or deleted: withdraw it' using errcode = 'check_violation';
end
$$;
create trigger reply_stands before update or delete on report_reply
    for each row execute function reply_stands();
create trigger reply_stands_all before truncate on report_reply
    for each statement execute function reply_stands();

-- A draft is made anew when a reply comes in or is withdrawn: other bytes, under another SHA-256.
alter table report_draft add column remade_at timestamptz;
