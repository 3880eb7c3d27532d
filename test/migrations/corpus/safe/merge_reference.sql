-- expect: nothing
merge into desk.brokers as target
using (values ('IBKR', 5), ('ALPC', 4)) as given (code, rating)
  on target.code = given.code
when matched then update set rating = given.rating
when not matched then insert (code, rating) values (given.code, given.rating);
