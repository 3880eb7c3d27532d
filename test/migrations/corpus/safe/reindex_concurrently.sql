-- expect: nothing
-- transaction: none
reindex table concurrently desk.fills;
