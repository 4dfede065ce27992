-- What people got done: counts of transactions by service, channel, outcome and minute of the event.
-- Readers use the views counted_minute, counted_hour and counted_total; what is below them may change.

-- A narrow name for (channel, outcome), so that a counted minute is a short row.
create table series (
    id      integer generated always as identity primary key,
    service text not null,  -- path: service:passport
    channel text not null,  -- path: service:passport/web
    outcome text not null,  -- completed | failed | abandoned
    unique (channel, outcome)
);

-- Additions: several rows of one series and minute are summed by whoever reads; folding makes them one row.
-- The one index leads with the minute: live events are added at its right end, folding reads whole hours.
create table count_minute (
    series      integer     not null,
    minute      timestamptz not null,
    count       bigint      not null,
    timed       bigint      not null,  -- how many of them said how long they took
    duration_ms bigint      not null   -- of those, together
) partition by range (minute);
create index count_minute_minute on count_minute (minute, series);

-- The same by hour, made anew from the minutes whenever one of them was added to; kept for ever.
create table count_hour (
    series      integer     not null,
    hour        timestamptz not null,
    count       bigint      not null,
    timed       bigint      not null,
    duration_ms bigint      not null,
    primary key (series, hour)
);
create index count_hour_hour on count_hour (hour);

-- Hours that were added to and not yet folded: a mark per batch, in the batch's own transaction.
create table count_unfolded (hour timestamptz not null);
create index count_unfolded_hour on count_unfolded (hour);

-- Running totals; they never fall.
create table transaction_total (
    series      integer primary key references series (id),
    count       bigint  not null,
    timed       bigint  not null,
    duration_ms bigint  not null
);

create view counted_minute as
    select s.service, s.channel, s.outcome, c.minute, c.count, c.timed, c.duration_ms
      from count_minute c join series s on s.id = c.series;

create view counted_hour as
    select s.service, s.channel, s.outcome, c.hour, c.count, c.timed, c.duration_ms
      from count_hour c join series s on s.id = c.series;

create view counted_total as
    select s.service, s.channel, s.outcome, t.count, t.timed, t.duration_ms
      from transaction_total t join series s on s.id = t.series;

-- The first offset whose ids are still remembered: from there the log is read again on assignment.
alter table stream_offset add column horizon bigint;
