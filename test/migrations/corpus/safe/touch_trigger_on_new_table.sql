-- expect: nothing
create table desk.notes (
  note_id bigint generated always as identity primary key,
  body text not null,
  changed_at timestamptz not null default now()
);
create function desk.touch() returns trigger language plpgsql as $$
begin
  new.changed_at = now();
  return new;
end
$$;
create trigger notes_touch before update on desk.notes
  for each row execute function desk.touch();
