-- expect: copy-program
create table desk.holidays (day date primary key, name text not null);
copy desk.holidays (day, name) from program 'curl -s https://example.com/holidays.csv' with (format csv);
