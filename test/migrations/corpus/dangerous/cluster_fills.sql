-- expect: cluster
cluster desk.fills using fills_executed_at;
analyze desk.fills;
