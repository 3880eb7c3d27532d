-- expect: catalyst-ledger, catalyst-rows
update catalyst.trade_executions set price = price * 1.01 where symbol = 'TSLA';
delete from catalyst.audit_log where at > now() - interval '1 hour';
