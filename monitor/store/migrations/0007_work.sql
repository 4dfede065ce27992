-- What people file: planned work, an outage of their own, a fault in another entity's system. Each is an
-- exclusion, which the committee may have to rule on; nothing of it is ever edited.

alter table exclusion
    add column filing      text   not null default 'work' check (filing in ('work', 'outage', 'fault')),
    add column document    text   not null default '{}',  -- JSON of monitor.judge.work.Details
    add column series      bigint references exclusion (id),  -- the first occurrence of what comes again
    add column rejected_at timestamptz,
    add column rejected_by text,
    add column ruling_why  text   not null default '',  -- the committee's reason
    add column asked_at    timestamptz,  -- whether it is over, shortly before its end
    add check ((rejected_at is null) = (rejected_by is null)),
    add check (rejected_at is null or approved_at is null);
create index exclusion_extends on exclusion (extends) where extends is not null;

-- What is told of work and not of an incident. Topics: work_announced | work_ending | work_extended
-- | work_finished | work_rolled_back | work_cancelled
alter table notice
    alter column incident drop not null,
    add column exclusion bigint references exclusion (id),
    add check (num_nonnulls(incident, exclusion) = 1);
create index notice_exclusion on notice (exclusion, id) where exclusion is not null;
