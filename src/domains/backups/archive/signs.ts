import { createHash } from 'node:crypto'
import { z } from 'zod'
import type {
  LoggedMessage,
  LoggedRelation,
} from '../../../platform/postgres/replication/pgoutput.js'

/** What was so when the log came to this place: a row of `catalyst.log_mark`, which only the product may write. */
const MARK = z.object({
  mark_id: z.string(),
  /** The server's clock before the mark was committed, in UTC to the microsecond. */
  at: z.string().transform((text) => text.replace(' ', 'T').replace(/\+00$/, 'Z')),
  /** Last values of the sequences that were used, by their quoted names. */
  sequences: z
    .string()
    .transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text))),
  schema_fingerprint: z.string(),
  /** Quoted names of tables whose rows are not in the log. */
  not_logged: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
})

/** See above. */
export type Mark = z.output<typeof MARK>

/** A change of the schema: what was run, right before it was. */
export interface SchemaChange {
  readonly sql: string
  /** What it depends on. */
  readonly settings: Readonly<Record<string, string>>
  /** Anything but `again`: running it again would not come to the same, and why. */
  readonly replay: 'again' | 'opaque' | 'volatile' | 'unpublished'
}

/** What the log says beside rows. */
export type Sign =
  | { readonly kind: 'mark'; readonly mark: Mark }
  | { readonly kind: 'schema'; readonly change: SchemaChange }

const DDL = z.object({
  proof: z.string(),
  sql: z.string(),
  settings: z.record(z.string(), z.string()).default({}),
  replay: z.enum(['again', 'opaque', 'volatile']).default('again'),
})

const OWN_CHANGE = z.object({ sql: z.string(), replay: z.enum(['again', 'unpublished']) })

const DDL_PREFIX = 'cdb.ddl'
const SCHEMA = 'catalyst'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/**
 * Reads the log beside its rows. Anybody may write messages into the log, so that only those count whose proof
 * was in the ledger of migrations before; the rows of our own tables nobody else may write.
 */
export class Signs {
  readonly #relations = new Map<number, LoggedRelation>()
  readonly #proofs: Set<string>

  /** `proofs`: every `marks_sha256` of `catalyst.schema_migrations` at the beginning. */
  constructor(proofs: Iterable<string> = []) {
    this.#proofs = new Set(proofs)
  }

  /** Adds one. */
  trust(proof: string): void {
    this.#proofs.add(proof)
  }

  /** What a message says; to be called with each, in their order. A change of the schema comes before its effect. */
  read(message: LoggedMessage): Sign | null {
    if (message.kind === 'relation') this.#relations.set(message.id, message)
    if (message.kind === 'message') return this.#change(message)
    if (message.kind !== 'insert' && message.kind !== 'update') return null
    const relation = this.#relations.get(message.relation)
    if (relation?.schema !== SCHEMA) return null
    switch (relation.name) {
      case 'log_mark':
        return { kind: 'mark', mark: MARK.parse(fieldsOf(relation, message.new)) }
      case 'schema_changes': {
        const { sql, replay } = OWN_CHANGE.parse(fieldsOf(relation, message.new))
        return { kind: 'schema', change: { sql, settings: {}, replay } }
      }
      case 'schema_migrations': {
        const { marks_sha256: proof } = fieldsOf(relation, message.new)
        if (typeof proof === 'string') this.#proofs.add(proof)
        return null
      }
      default:
        return null
    }
  }

  #change(message: LoggedMessage & { kind: 'message' }): Sign | null {
    if (!message.isTransactional || message.prefix !== DDL_PREFIX) return null
    const parsed = DDL.safeParse(parseJson(message.content))
    if (!parsed.success || !this.#proofs.has(sha256(parsed.data.proof))) return null
    const { sql, settings, replay } = parsed.data
    return { kind: 'schema', change: { sql, settings, replay } }
  }
}

const fieldsOf = ({ columns }: LoggedRelation, row: readonly unknown[]): Record<string, unknown> =>
  Object.fromEntries(columns.map(({ name }, at) => [name, row[at]]))

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'))
  } catch {
    return null
  }
}
