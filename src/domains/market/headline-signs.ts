/** Hyphen, non-breaking hyphen, figure dash, en dash and minus: each is typed for a minus. */
const MINUS = '\\-\u2010\u2011\u2012\u2013\u2212\u2796'
const PLUS = '+\u2795'
const CODE = '(?:usd|eur|gbp|jpy|chf|cad|aud|cny|inr|rs)'
const CURRENCY = `(?:[a-z]{0,2}\\p{Sc} ?|${CODE} ?)`
const DIGITS = '\\d[\\d,.]*'
const SCALE = ` ?(?:%|percent|pct|bps?|cents?|c|k|m|mn|mln|million|b|bn|billion|tn|trillion|${CODE})`

/** `$.50` and `$50`, `.5%` and `5%` would be one. */
const BARE_POINT = /(?<![\p{L}\p{M}\p{N}.])\.(?=\d)/gu

/**
 * A sign stands right before a number and behind nothing that it could join to one: `10-12%`, `Q2-Q3`
 * and `737-800` have hyphens. What looks like a telephone number has no sign.
 */
const SIGNED = new RegExp(
  `(?<![\\p{L}\\p{M}\\p{N}%)${MINUS}${PLUS}])[${PLUS}${MINUS}](?!\\d{1,3}[ (-]+\\d{2,4}[) -]+\\d{2,4}(?!\\d))(?=${CURRENCY}?\\d)`,
  'gu',
)

/** With a space behind it, a hyphen parts a headline, unless a share follows. */
const SPACED = new RegExp(
  `(?<![^ ])(?:[${PLUS}](?= ${CURRENCY}?\\d)|[${MINUS}](?= ${DIGITS} ?(?:%|percent|pct|bps?)(?![\\p{L}\\p{N}])))`,
  'gu',
)

/** Parentheses around an amount say that it is negative; around a year or a count they do not. */
const IN_PARENTHESES = new RegExp(
  `\\( ?(?:(?=${CURRENCY})${CURRENCY}${DIGITS}(?:${SCALE})?|${DIGITS}${SCALE}|\\d*\\.\\d+|(?<=\\p{Sc}\\( ?)${DIGITS}) ?\\)`,
  'gu',
)

/** The Unicode block Supplemental Arrows-C: four directions, and from U+1F850 on four diagonals, again and again. */
const supplementalArrows = (offsets: readonly number[], diagonals: readonly number[]): string => {
  const plain = Array.from({ length: 18 }, (_, n) => offsets.map((at) => 0x1f800 + 4 * n + at))
  const eight = Array.from({ length: 5 }, (_, n) => diagonals.map((at) => 0x1f860 + 8 * n + at))
  return String.fromCodePoint(
    ...plain.flat(),
    ...diagonals.map((at) => 0x1f850 + at),
    ...eight.flat(),
  )
}

const UP = `▲△▴▵⏶⯅🞁🔺🔼⏫↑⇑⇡⇧⇈↟↥⬆⮝⤴↗⇗⬀➚➹📈💹🚀👍🆙${supplementalArrows([1], [1, 5])}`
const DOWN = `▼▽▾▿⏷⯆🞃🔻🔽⏬↓⇓⇣⇩⇊↡↧⬇⮟⤵↘⇘⬂➘➴📉👎${supplementalArrows([3], [3, 6])}`
const ARROWS = new RegExp(`[${UP}${DOWN}]`, 'gu')

/** Notes of credit ratings: `BBB-` and `BBB+` are two notches apart, and neither is a movement. */
const RATING = new RegExp(
  `(?<![\\p{L}\\p{M}\\p{N}])(a{1,3}|b{1,3}|c{1,3}|d)([${PLUS}${MINUS}])(?![\\p{L}\\p{M}\\p{N}${PLUS}${MINUS}])`,
  'gu',
)
const COMPARISON = new RegExp(`(?<![<>=${MINUS}])[<>≤≥](?= ?${CURRENCY}?\\d)`, 'gu')
const COMPARED: Readonly<Record<string, string>> = {
  '<': ' lessthan ',
  '>': ' morethan ',
  '≤': ' atmost ',
  '≥': ' atleast ',
}

/** Most headlines have none of all this. */
const MAY_HAVE_SIGN = new RegExp(`[${PLUS}${MINUS}(<>≤≥${UP}${DOWN}]|(?<!\\d)\\.\\d`, 'u')

const signWord = (sign: string): string => (PLUS.includes(sign) ? 'plus' : 'minus')

/**
 * A folded headline with its signs as words: `+1.2%` and `-1.2%`, `$0.50` and `($0.50)`, `A+` and `A-`,
 * `<10` and `>10`, ▲ and ▼ tell different stories, and without words for them they would be one.
 */
export function spellSigns(folded: string): string {
  if (!MAY_HAVE_SIGN.test(folded)) return folded
  return folded
    .replace(BARE_POINT, '0.')
    .replace(IN_PARENTHESES, (amount) => ` minus ${amount.slice(1, -1)} `)
    .replace(RATING, (_, grade, sign) => `${grade}${signWord(sign)}`)
    .replace(SIGNED, (sign) => ` ${signWord(sign)} `)
    .replace(SPACED, (sign) => ` ${signWord(sign)} `)
    .replace(COMPARISON, (sign) => COMPARED[sign] ?? sign)
    .replace(ARROWS, (arrow) => (UP.includes(arrow) ? ' up ' : ' down '))
}
