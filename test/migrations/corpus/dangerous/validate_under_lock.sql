-- expect: validate-in-same-transaction
alter table desk.fills
  add constraint fills_fee_known check (fee is not null) not valid;
alter table desk.fills validate constraint fills_fee_known;
