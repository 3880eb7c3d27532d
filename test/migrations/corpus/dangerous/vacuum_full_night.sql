-- expect: vacuum-full
-- transaction: none
vacuum (full, verbose) desk.quotes;
