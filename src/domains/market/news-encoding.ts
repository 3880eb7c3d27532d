import { lacks } from '../../errors.js'
import { sourceKey } from '../../lib/source-name.js'
import { inTurns } from '../../lib/turns.js'
import type { Queryable } from '../../platform/postgres/queryable.js'
import { lackingCharacters } from './news.sql.js'
import type { ItemError, PreparedArticle } from './news-article.js'

/** What is stored of a story, by the field it came in: as it came, and folded. */
const textsOf = ({ given, source, norm, keywords }: PreparedArticle) =>
  Object.entries({
    headline: given.headline + norm,
    source: source + sourceKey(source),
    'catalyst_indicators.keywords': keywords.join(''),
    url: given.url ?? '',
    snippet: given.snippet ?? '',
  })

const BEYOND_ASCII = /[\u{80}-\u{10ffff}]/gu

/** Parts stories that can be stored from those with a character that the encoding of the database lacks. */
export async function partByEncoding(
  db: Queryable,
  articles: readonly PreparedArticle[],
): Promise<{ storable: readonly PreparedArticle[]; refused: readonly ItemError[] }> {
  const characters = new Set<string>()
  await inTurns(articles, (article) => {
    for (const [, text] of textsOf(article)) {
      for (const character of text.match(BEYOND_ASCII) ?? []) characters.add(character)
    }
  })
  const lacking = await lackingOf(db, characters)
  if (lacking.size === 0) return { storable: articles, refused: [] }
  const storable: PreparedArticle[] = []
  const refused: ItemError[] = []
  await inTurns(articles, (article) => {
    const problem = problemOf(article, lacking)
    if (problem === null) storable.push(article)
    else refused.push({ index: article.index, code: 'invalid_input', message: problem })
  })
  return { storable, refused }
}

async function lackingOf(
  db: Queryable,
  characters: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  if (characters.size === 0) return characters
  const byBytes = new Map([...characters].map((one) => [Buffer.from(one).toString('hex'), one]))
  const rows = await db.many(lackingCharacters([...byBytes.keys()]))
  return new Set(rows.flatMap(({ utf8 }) => byBytes.get(utf8) ?? []))
}

function problemOf(article: PreparedArticle, lacking: ReadonlySet<string>): string | null {
  for (const [field, text] of textsOf(article)) {
    const character = text.match(BEYOND_ASCII)?.find((one) => lacking.has(one))
    if (character !== undefined) return `${field}: ${lacks(character)}`
  }
  return null
}
