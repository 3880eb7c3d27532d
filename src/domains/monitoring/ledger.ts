import type { Database } from '../../platform/postgres/database.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import * as statements from './ledger.sql.js'
import type { Finding } from './sampler.js'

interface LedgerDeps {
  readonly database: Pick<Database, 'transaction' | 'many' | 'run'>
  readonly sampleMs: number
}

/** What a finding is told by, where it has an event of its own; null where somebody else tells of it. */
const OWN_EVENT: Readonly<Record<string, 'replication.lag' | 'db.error' | null>> = {
  replication_lag: 'replication.lag',
  checksum_failures: 'db.error',
  redis_memory: null,
}

/**
 * Tells of each finding once when it begins and once when it ends, however many servers look: that it was told is
 * a row, written in the transaction of the event. Who sees a finding says so in its row; one that nobody has seen
 * for as long as three samples take is ended by whoever comes first, also that of a server that is gone.
 */
export class FindingLedger {
  readonly #deps: LedgerDeps
  readonly #unseenMs: number
  #told: readonly statements.ToldFinding[] = []

  constructor(deps: LedgerDeps) {
    this.#deps = deps
    this.#unseenMs = deps.sampleMs * 2.5
  }

  /** What servers have told and not ended, as of the last look. */
  get told(): readonly statements.ToldFinding[] {
    return this.#told
  }

  /** Reads what was told. */
  async read(): Promise<void> {
    this.#told = await this.#deps.database.many(statements.toldFindings())
  }

  /** Brings what was told up to what is held. */
  async settle(findings: readonly Finding[]): Promise<void> {
    const { database } = this.#deps
    await this.read()
    const held = new Map(
      findings.filter(isTold).map((one) => [rowKey(one.check, one.object ?? ''), one]),
    )
    const known = new Set(this.#told.map(({ check_name, object }) => rowKey(check_name, object)))
    for (const [key, finding] of held) if (!known.has(key)) await this.#begin(finding)
    const seen = [...held.entries()].filter(([key, { isSeen }]) => isSeen && known.has(key))
    if (seen.length > 0) {
      await database.run(
        statements.see(seen.map(([, { check, object }]) => ({ check, object: object ?? '' }))),
      )
    }
    const over = this.#told.filter(
      ({ check_name, object, unseen_seconds }) =>
        !held.has(rowKey(check_name, object)) && unseen_seconds * 1_000 > this.#unseenMs,
    )
    for (const one of over) await this.#end(one)
    if (over.length > 0 || held.size > known.size) await this.read()
  }

  #begin(finding: Finding): Promise<void> {
    const { check, object, severity, title, evidence, threshold, next_step, tool } = finding
    const details = { threshold, next_step, tool, is_own: finding.isOwn }
    return this.#deps.database.transaction(async (tx) => {
      const row = { check, object: object ?? '', severity, title, evidence, details }
      if ((await tx.run(statements.begin(row))) === 0) return
      await tell(tx, 'on', { check, object, severity, title, evidence })
    })
  }

  #end({ check_name, object, severity, title, evidence }: statements.ToldFinding): Promise<void> {
    return this.#deps.database.transaction(async (tx) => {
      if ((await tx.run(statements.end(check_name, object, this.#unseenMs))) === 0) return
      await tell(tx, 'off', {
        check: check_name,
        object: object || null,
        severity,
        title,
        evidence,
      })
    })
  }
}

type Told = Pick<Finding, 'check' | 'object' | 'severity' | 'title' | 'evidence'>

async function tell(tx: Transaction, state: 'on' | 'off', told: Told): Promise<void> {
  const own = OWN_EVENT[told.check]
  if (own === null) return
  if (own === undefined) return tx.emit('db.performance.degraded', { ...told, state })
  if (own === 'db.error') {
    const { check: code, title: message } = told
    return tx.emit('db.error', { code, message, session_id: null, state })
  }
  const { lag_seconds = null, lag_bytes = null } = told.evidence
  return tx.emit('replication.lag', {
    state,
    replica: told.object,
    severity: told.severity,
    lag_seconds: typeof lag_seconds === 'number' ? lag_seconds : null,
    lag_bytes: typeof lag_bytes === 'number' ? lag_bytes : null,
    title: told.title,
  })
}

/** Only what is wrong is told unasked. */
const isTold = ({ severity }: Finding): boolean => severity !== 'info'

const rowKey = (check: string, object: string): string => `${check}\n${object}`
