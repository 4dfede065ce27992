-- Who is sent a draft when it is published, decided when it is made: whoever signs it off knows no settings.

alter table report_draft add column recipients text[] not null default '{}';
