import type { Endpoint } from '../../platform/postgres/connection.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import type { ScriptSession } from '../../platform/postgres/roles/script-login.js'
import type { Loss } from './measure/loss.js'
import type { Observation } from './observation.js'
import type { MigrationActor } from './report.js'
import type { Script, Step } from './script.js'
import type { NextStep } from './script-failure.js'

/** What a run works with, whatever scripts it runs. */
export interface RunContext extends ScriptSession {
  readonly endpoint: Endpoint
  /** The runner's own: it holds the lock and writes the ledger. */
  readonly ledger: DirectSession
  /** The product's own scripts are trusted; all others are watched and measured. */
  readonly isMeasured: boolean
  /** What the file may lose: what was confirmed. */
  readonly confirmed: readonly Loss[]
  readonly actor: MigrationActor
  readonly appVersion: string
  readonly signal: AbortSignal
  /** Tells the marks of schema changes from what a script could write itself: the ledger keeps its SHA-256. */
  readonly proof: string
  /** In a dry run, the relations (by oid) that were there before its first file. */
  readonly existing?: ReadonlySet<string>
  /** Told after each statement. */
  stepDone(task: ScriptTask, step: Step): void
}

/** One script to be run for one migration. */
export interface ScriptTask {
  readonly version: number
  readonly name: string
  readonly script: Script
  /** Statements that an earlier attempt has recorded as done. */
  readonly done: number
  /** An earlier attempt began the next statement, and nobody recorded how it ended. */
  readonly isInDoubt: boolean
  /** What goes on after a failure, once the script is corrected. */
  readonly next: NextStep
}

/** How a script went. */
export interface ScriptOutcome {
  readonly duration_ms: number
  readonly statement_ms: readonly number[]
  /** Null where each statement was for itself: its locks are gone with it. */
  readonly observed: Observation | null
  /** What it made and could not be handed over, as sentences. */
  readonly kept: readonly string[]
}
