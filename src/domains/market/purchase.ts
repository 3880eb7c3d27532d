const BUYS = /(?<![\p{L}\p{N}])(?:buys?|buying|bought|purchases?|purchased)\s+/giu

/** Who buys otherwise than whole companies, or is told to. */
const NOT_A_BUYER =
  /(?:\b(?:stocks?|shares?|etfs?|funds?|should (?:you|i|investors)|you|we|how|where|when|what|best|your|with|reasons?|time|things?|something|strong|rated|rating|at|investors?|traders?|insiders?|ceo|cfo|coo|chief \w+ officer|president|chair(?:man|woman)?|directors?|officer|founder|board member|teacher|woman|man|family|billionaires?|fans|shoppers|consumers|homebuyers)(?: (?:is|are|to|now|has|just))?|^)\s*(?:to )?$/i

/** What is not a company, though it may be written with a capital letter. */
const NOT_A_COMPANY =
  /^(?:back|shares?|stocks?|stakes?|bonds?|the|a|an|its|his|her|their|our|your|this|these|those|that|and|or|dip|list|rating|gold|silver|bitcoin|crypto|oil|gas|lng|time|into|in|on|at|it|more|less|up|out|now|from|for|with|right|before|after|home|homes|house|houses|land|planes|jets|aircraft|options|treasur\w*|debt|supplies|tickets|food|new|\$?\d[\d,.%]*)$/i
const SECURITIES = /^(?:shares?|stocks?|stakes?|bonds?|dip|options|calls|puts|notes|debt)\b/i
const ENDS_OBJECT = /[,;:?!]$|^(?:for|in|as|at|from|with|to|after|amid|on|despite)$/i
const INTRODUCES =
  /^(?:rival|smaller|larger|chipmaker|drugmaker|automaker|startup|start-up|biotech|lender|bank|software|cloud|rest|all|maker|[a-z]+maker|firm|company|competitor|peer|\d+%|of|remaining|majority|remainder|[a-z]+-based|[a-z]+)$/

/** How many words of what is bought are looked at. */
const OBJECT_WORDS = 5

/**
 * Whether a headline says that one company buys another, in plain words: `Acme buys Beta`. Where a
 * headline is not written in title case, what is bought must have a capital letter.
 */
export function tellsPurchase(headline: string): boolean {
  for (const match of headline.matchAll(BUYS)) {
    const before = headline.slice(0, match.index)
    const after = headline.slice(match.index + match[0].length)
    if (!NOT_A_BUYER.test(before) && isCompany(after, isTitleCase(headline))) return true
  }
  return false
}

function isCompany(text: string, isTitle: boolean): boolean {
  const words = text.split(/\s+/).slice(0, OBJECT_WORDS)
  const end = words.findIndex((word) => ENDS_OBJECT.test(word))
  const object = end < 0 ? words : words.slice(0, end + (/[,;:?!]$/.test(words[end] ?? '') ? 1 : 0))
  if (object.some((word) => SECURITIES.test(word))) return false
  for (const word of object) {
    const bare = word.replace(/^\p{P}+|[\p{P}]+$/gu, '')
    if (isTitle) return !NOT_A_COMPANY.test(bare)
    if (/^\p{Lu}/u.test(bare)) return !NOT_A_COMPANY.test(bare)
    if (!INTRODUCES.test(bare) || NOT_A_COMPANY.test(bare)) return false
  }
  return false
}

function isTitleCase(headline: string): boolean {
  const words = headline.split(/\s+/).filter((word) => /^\p{L}{4,}/u.test(word))
  const capital = words.filter((word) => /^\p{Lu}/u.test(word)).length
  return words.length > 2 && capital > 0.8 * words.length
}
