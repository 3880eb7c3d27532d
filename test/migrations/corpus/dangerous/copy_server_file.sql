-- expect: server-file
create temporary table passwd (line text);
copy passwd from '/etc/passwd';
