/** Hyphen, non-breaking hyphen, figure dash, en dash and minus: each is typed for a minus. */
const MINUS = '\\-\u2010\u2011\u2012\u2013\u2212\u2796'
const PLUS = '+\u2795'
const CURRENCY = '(?:[a-z]{0,2}\\p{Sc}|(?:usd|eur|gbp|jpy|chf|cad|aud|cny|inr|rs) ?)'
const DIGITS = '\\.?\\d[\\d,.]*'
const SCALE = ' ?(?:%|percent|pct|bps?|cents?|k|m|mn|mln|million|b|bn|billion|tn|trillion)'

/**
 * A sign stands right before a number and behind nothing that it could join to one: `10-12%`, `Q2-Q3`
 * and `737-800` have hyphens. What looks like a telephone number has no sign.
 */
const SIGNED = new RegExp(
  `(?<![\\p{L}\\p{M}\\p{N}%)${MINUS}${PLUS}])[${PLUS}${MINUS}](?!\\d{1,3}[ (-]+\\d{2,4}[) -]+\\d{2,4}(?!\\d))(?=${CURRENCY}?\\.?\\d)`,
  'gu',
)

/** Parentheses around an amount say that it is negative; around a year or a count they do not. */
const IN_PARENTHESES = new RegExp(
  `\\( ?(?:(?=${CURRENCY})${CURRENCY}${DIGITS}(?:${SCALE})?|${DIGITS}${SCALE}|\\d*\\.\\d+|(?<=\\p{Sc}\\( ?)${DIGITS}) ?\\)`,
  'gu',
)

const UP = '▲△▴▵⏶⯅🞁🔺🔼⏫↑⇑⇡⇧⇈↟↥⬆⮝⤴↗⇗⬀➚➹📈💹🚀👍🆙'
const DOWN = '▼▽▾▿⏷⯆🞃🔻🔽⏬↓⇓⇣⇩⇊↡↧⬇⮟⤵↘⇘⬂➘➴📉👎'
const ARROWS = new RegExp(`[${UP}${DOWN}]`, 'gu')

/** Most headlines have none of all this. */
const MAY_HAVE_SIGN = new RegExp(`[${PLUS}${MINUS}(${UP}${DOWN}]`, 'u')

/**
 * A folded headline with its signs as words: `+1.2%` and `-1.2%`, `$0.50` and `($0.50)`, ▲ and ▼ tell
 * different stories, and without words for them they would be one.
 */
export function spellSigns(folded: string): string {
  if (!MAY_HAVE_SIGN.test(folded)) return folded
  return folded
    .replace(IN_PARENTHESES, (amount) => ` minus ${amount.slice(1, -1)} `)
    .replace(SIGNED, (sign) => (PLUS.includes(sign) ? ' plus ' : ' minus '))
    .replace(ARROWS, (arrow) => (UP.includes(arrow) ? ' up ' : ' down '))
}
