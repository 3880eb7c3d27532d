-- expect: nothing
-- transaction: none
vacuum (analyze) desk.fills;
