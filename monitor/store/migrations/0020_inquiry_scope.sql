-- An inquiry may have come up in the report of one entity.

alter table inquiry add column scope text not null default 'government';  -- whose report `label` names
