/** Upper bounds of what an expression may come to. */
export interface Size {
  /** Of its text or its stored form. */
  readonly bytes: number
  /** Of a number; infinite where nothing is known of it. */
  readonly max: number
}

/** A value of a stored row, of which nothing is known: a text or number of ordinary size. */
export const STORED: Size = { bytes: 1_000, max: 10_000 }
/** A flag, or nothing. */
export const SMALL: Size = { bytes: 8, max: 1 }
/** Rows that can be counted within the time limit, as a number to repeat something by. */
const COUNTED: Size = { bytes: 20, max: 100_000 }

const WIDEST_INTEGER = 2 ** 31
/** Hours, days, years and the like; seconds since 1970 are not. */
const DATE_PARTS: Size = { bytes: 20, max: 10_000 }

export const text = (bytes: number): Size => ({ bytes, max: Number.POSITIVE_INFINITY })
export const number = (max: number): Size => ({ bytes: 24, max })

export const both = (sizes: readonly Size[]): Size => ({
  bytes: Math.max(8, ...sizes.map(({ bytes }) => bytes)),
  max: Math.max(0, ...sizes.map(({ max }) => max)),
})

const sum = (sizes: readonly Size[]): number => sizes.reduce((all, { bytes }) => all + bytes, 0)

/** A constant by its text. */
export function constant(value: string): Size {
  const read = Number(value)
  return {
    bytes: Buffer.byteLength(value),
    max: value.trim() === '' || Number.isNaN(read) ? Number.POSITIVE_INFINITY : Math.abs(read),
  }
}

type Rule = (args: readonly Size[], texts: readonly (string | null)[]) => Size

const at = (args: readonly Size[], index: number): Size => args[index] ?? SMALL
/** Nothing is repeated less than once to be on the safe side. */
const times = ({ bytes }: Size, { max }: Size): Size => text(Math.max(1, bytes) * Math.max(1, max))
const grows =
  (factor: number): Rule =>
  (args) =>
    text(sum(args) * factor + 16)
const keeps: Rule = (args) => at(args, 0)
const counts: Rule = () => COUNTED
const pads: Rule = (args) => text(Math.max(at(args, 0).bytes, at(args, 1).max * 4))
const measures: Rule = (args) => number(at(args, 0).bytes)

/** Digits of a number; with more, arithmetic takes seconds that no time limit interrupts. */
const MAX_DIGITS = 10_000

/** Decimal digits of a power: 10 to the 5 has 6. A stored exponent is small, or the column could not hold the result. */
const raises: Rule = (args) => {
  const [base, exponent] = [at(args, 0), at(args, 1)]
  const times = exponent.max === STORED.max ? 100 : exponent.max
  const digits = Math.log10(Math.max(base.max, 2)) * times
  if (!Number.isFinite(digits)) return text(40)
  return {
    bytes: digits > MAX_DIGITS ? Number.POSITIVE_INFINITY : digits + 20,
    max: base.max ** times,
  }
}

const FORMATS = /%(?:\d+\$)?-?(\d+|\*)?/g

/** Each place holds an argument, quoted perhaps, and is at least as wide as it says. */
const formats: Rule = (args, texts) => {
  const [template, ...values] = texts
  const widest = both(args.slice(1))
  if (template === null || template === undefined) return text(at(args, 0).bytes * widest.bytes)
  const places = [...template.matchAll(FORMATS)].map(([, width]) => width)
  const wide = places.map((width) => (width === '*' ? starred(args, values) : Number(width ?? 0)))
  return text(
    template.length + places.length * widest.bytes * 2 + wide.reduce((a, b) => a + b, 0) * 4,
  )
}

const starred = (args: readonly Size[], values: readonly unknown[]): number =>
  Math.max(0, ...values.map((_, index) => at(args, index + 1).max).filter(Number.isFinite))

const replaces: Rule = (args) =>
  text(Math.max(1, at(args, 0).bytes) * Math.max(1, at(args, 2).bytes) * 1.5)

const fills: Rule = (args, texts) => {
  const written = [...(texts[1] ?? '').matchAll(/\d+/g)].map(([n]) => Number(n))
  const items = written.length > 0 ? written.reduce((a, b) => a * b, 1) : at(args, 1).max
  return text((at(args, 0).bytes + 8) * items)
}

/** What functions make of their arguments. Those that are not named here answer about what they got. */
const FUNCTIONS: Readonly<Record<string, Rule>> = {
  repeat: (args) => times(at(args, 0), at(args, 1)),
  lpad: pads,
  rpad: pads,
  replace: replaces,
  regexp_replace: replaces,
  format: formats,
  concat_ws: (args) => text(sum(args) + at(args, 0).bytes * args.length),
  array_fill: fills,
  translate: grows(4),
  normalize: grows(18),
  upper: grows(3),
  lower: grows(3),
  initcap: grows(3),
  convert: grows(4),
  convert_to: grows(4),
  convert_from: grows(4),
  encode: grows(2),
  quote_literal: grows(2.5),
  quote_ident: grows(2.5),
  to_json: grows(6),
  to_jsonb: grows(6),
  row_to_json: grows(6),
  array_to_json: grows(6),
  string_to_array: grows(8),
  regexp_split_to_array: grows(8),
  power: raises,
  pow: raises,
  exp: (args) => raises([number(Math.E), at(args, 0)], []),
  // https://en.wikipedia.org/wiki/Stirling%27s_approximation: n! has fewer than n log10(n) digits.
  factorial: (args) => raises([number(Math.max(10, at(args, 0).max)), at(args, 0)], []),
  length: measures,
  char_length: measures,
  character_length: measures,
  octet_length: measures,
  array_length: measures,
  cardinality: measures,
  position: measures,
  strpos: measures,
  extract: (_, texts) => datePart(texts[0]),
  date_part: (_, texts) => datePart(texts[0]),
  ascii: () => number(0x10ffff),
  sign: () => number(1),
  width_bucket: (args) => number(Math.max(at(args, 3).max, 0) + 1),
  mod: (args) => number(at(args, 1).max),
  ...Object.fromEntries(
    [
      'round',
      'floor',
      'ceil',
      'ceiling',
      'trunc',
      'abs',
      'min',
      'max',
      'lag',
      'lead',
      'first_value',
      'last_value',
      'nth_value',
      'int2',
      'int4',
      'int8',
      'float8',
      'numeric',
      'avg',
      'any_value',
      'mode',
      'percentile_disc',
      'percentile_cont',
      'left',
      'right',
      'substring',
      'substr',
      'btrim',
      'ltrim',
      'rtrim',
      'nullif',
    ].map((name) => [name, keeps]),
  ),
  ...Object.fromEntries(
    [
      'count',
      'row_number',
      'rank',
      'dense_rank',
      'ntile',
      'regr_count',
      'num_nulls',
      'num_nonnulls',
      'regexp_count',
    ].map((name) => [name, counts]),
  ),
  generate_series: (args) => ({ bytes: 24, max: both(args).max }),
  unnest: keeps,
}

const datePart = (field: string | null | undefined): Size =>
  field && !/epoch|julian|second/i.test(field) ? DATE_PARTS : number(Number.POSITIVE_INFINITY)

/** What a call of a function may come to; `texts` are the arguments that are constants. */
export const ofFunction = (
  name: string,
  args: readonly Size[],
  texts: readonly (string | null)[],
): Size => (Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : grows(2))?.(args, texts) ?? SMALL

/** By a fraction a number grows; by what is counted or stored it hardly stays as large as it was. */
function divided(value: number, by: number, isConstant: boolean): number {
  if (isConstant) return by > 0 ? value / by : value
  return value > 10_000_000 ? value : Math.min(value, STORED.max)
}

/** What an operator may come to. */
export function ofOperator(name: string, left: Size, right: Size, isConstant: boolean): Size {
  const bytes = left.bytes + right.bytes + 16
  switch (name) {
    case '+':
    case '-':
      return { bytes, max: left.max + right.max }
    case '*':
      return { bytes, max: left.max * right.max }
    case '/':
      return { bytes, max: divided(left.max, right.max, isConstant) }
    case '%':
      return { bytes, max: right.max }
    case '^':
      return raises([left, right], [])
    case '<<':
      return { bytes, max: left.max * 2 ** Math.min(right.max, 64) }
    case '&':
      return { bytes, max: Math.min(left.max, right.max) }
    case '=':
    case '<>':
    case '<':
    case '>':
    case '<=':
    case '>=':
      return SMALL
    default:
      return text(bytes)
  }
}

/** A value after a cast; some types pad to the length they are given. */
export function ofCast(type: string, value: Size, lengths: readonly number[]): Size {
  const [length = 0] = lengths
  switch (type) {
    case 'bool':
      return SMALL
    case 'int2':
      return { bytes: 8, max: Math.min(value.max, 2 ** 15) }
    case 'int4':
      return { bytes: 12, max: Math.min(value.max, WIDEST_INTEGER) }
    case 'int8':
    case 'float4':
    case 'float8':
      return { bytes: 24, max: value.max }
    case 'bpchar':
      return { ...value, bytes: Math.max(value.bytes, length * 4) }
    case 'bit':
      return { ...value, bytes: Math.max(value.bytes, length / 8) }
    default:
      return value
  }
}
