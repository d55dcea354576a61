-- Bring a database back to its baseline without copying it: run by tests/servers.py on a new one.
--
-- Every row that is newer than the baseline is deleted by its id. What happens to older rows, and to
-- tables without ids (many2many relations), is noted by triggers and played back in reverse. Both
-- functions return the names of the tables they touched; they are to be called with
-- session_replication_role = replica, so that no trigger and no foreign key takes part.

create schema zenoo_lab;
create table zenoo_lab.baseline (name name primary key, top bigint not null);
create table zenoo_lab.undo (seq bigserial primary key, name name, op text, line jsonb);

create function zenoo_lab.note() returns trigger language plpgsql security definer as $$
begin
    insert into zenoo_lab.undo (name, op, line)
    values (tg_table_name, tg_op, to_jsonb(case when tg_op = 'INSERT' then new else old end));
    return null;
end $$;

do $setup$
declare
    t record;
    top bigint;
    statements text := '';
begin
    for t in
        select relname as name, exists (
            select from pg_attribute a
            where a.attrelid = c.oid and attname = 'id' and not attisdropped
        ) as has_id
        from pg_class c
        where relkind = 'r' and relnamespace = 'public'::regnamespace
            and relname not like 'orm\_signaling\_%'
    loop
        if t.has_id then
            execute format('select coalesce(max(id), 0) from %I', t.name) into top;
            insert into zenoo_lab.baseline values (t.name, top);
            statements := statements || format(
                'delete from %1$I where id > %2$s;'
                'if found then touched := touched || %1$L::text; end if;',
                t.name, top
            );
            execute format(
                'create trigger zenoo_lab after update or delete on %I '
                'for each row when (old.id <= %s) execute function zenoo_lab.note()',
                t.name, top
            );
        else
            execute format(
                'create trigger zenoo_lab after insert or update or delete on %I '
                'for each row execute function zenoo_lab.note()',
                t.name
            );
        end if;
    end loop;
    execute 'create function zenoo_lab.delete_new() returns text[] language plpgsql as $f$'
        || 'declare touched text[] := array[]::text[];'
        || 'begin ' || statements || ' return touched; end$f$';
end $setup$;

create function zenoo_lab.put_back() returns text[] language plpgsql as $$
declare
    u record;
    touched text[] := array(select distinct name::text from zenoo_lab.undo);
begin
    for u in select name, op, line, line ? 'id' as has_id from zenoo_lab.undo order by seq desc loop
        if u.has_id then
            execute format('delete from %I where id = $1', u.name) using (u.line->>'id')::bigint;
        elsif u.op = 'INSERT' then
            execute format(
                'delete from %1$I t where t = jsonb_populate_record(null::%1$I, $1)', u.name
            ) using u.line;
        end if;
        if u.op <> 'INSERT' then
            execute format(
                'insert into %1$I select * from jsonb_populate_record(null::%1$I, $1)', u.name
            ) using u.line;
        end if;
    end loop;
    delete from zenoo_lab.undo;
    return touched;
end $$;
