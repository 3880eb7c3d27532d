-- expect: grant-all, grant-to-public
grant all privileges on all tables in schema desk to public;
