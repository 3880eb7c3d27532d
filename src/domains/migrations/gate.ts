import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import type { Question } from '../../lib/confirmation.js'
import { marketState, nextSessionTime } from '../../lib/market-clock.js'
import { instantText } from '../../lib/utc-text.js'
import { sentenceOf } from '../../platform/postgres/measure/loss.js'
import type { Policy } from '../../policy.js'
import type { Plan, Task } from './plan.js'

/** What the gate decides from. */
export interface GateDeps {
  readonly policy: Policy['migrations']
  readonly clock: Clock
}

/** A person reads no more names and sentences than that before the plan itself. */
const MAX_SHOWN = 5

/** Decides whether the schema may be changed now in a way that loses data or makes others wait. */
export class DestructiveGate {
  readonly #deps: GateDeps

  constructor(deps: GateDeps) {
    this.#deps = deps
  }

  /**
   * Lets it pass, or says why not.
   *
   * @throws AppError `permission_denied` by the policy `migrations.destructive`
   */
  check(): void {
    if (this.#deps.policy.destructive === 'refuse') throw refused('', 'Ask who runs the server')
    this.checkLocks()
  }

  /** The same for what loses nothing in the end, but locks as much on the way. */
  checkLocks(): void {
    const closes = this.#openUntil()
    if (this.#deps.policy.destructive !== 'refuse_when_open' || closes === null) return
    throw refused(` while the market is open, until ${closes}`, `Try again after ${closes}`)
  }

  /**
   * What has to be confirmed before a plan is run; null when nothing has to be.
   *
   * @throws AppError `permission_denied` by the policy
   */
  questionOf(plan: Plan): Question | null {
    if (!plan.destructive) return null
    this.check()
    const { tasks, version, digest } = plan
    const steps = tasks.map((task) => ({
      version: task.version,
      name: task.name,
      statements: task.script.steps.length,
    }))
    const losses = plan.losses.flatMap((one) =>
      one.losses.map((loss) => ({ version: one.version, message: sentenceOf(loss) })),
    )
    const told = shortened(losses.map(({ message }) => message))
    const lost =
      losses.length === 0 ? '' : ` ${told.shown.join(' ')}${told.more && ` And${told.more}.`}`
    if (tasks[0]?.direction === 'down') {
      return {
        message: `Undo ${namesOf(tasks)} back to version ${version}?${lost} ${this.#market()}`,
        plan: { current_version: version, rollbacks: steps, losses, digest },
      }
    }
    const findings = tasks.flatMap(blocking)
    const rules = [...new Set(findings.map(({ rule }) => rule))].join(', ')
    const waits = rules === '' ? '' : ` What makes others wait: ${rules}.`
    return {
      message: `Apply ${namesOf(tasks)} up to version ${version}?${lost}${waits} ${this.#market()}`,
      plan: { new_version: version, migrations: steps, losses, findings, digest },
    }
  }

  /** What the market is doing, for who has to decide. */
  #market(): string {
    const closes = this.#openUntil()
    if (closes !== null) return `The market is open until ${closes}.`
    const opens = nextSessionTime(this.#now(), (session) => session.opens)
    return `The market is closed and opens at ${instantText(opens)}.`
  }

  /** When the regular session that is on ends, or null when there is none. */
  #openUntil(): string | null {
    const now = this.#now()
    if (marketState(now) !== 'regular') return null
    return instantText(nextSessionTime(now, (session) => session.closes))
  }

  #now(): number {
    return this.#deps.clock.now().getTime()
  }
}

/** Without the message: it may tell how big a table is just now, and the plan must be the same later. */
const blocking = ({ version, lint }: Task) =>
  lint
    .filter(({ severity }) => severity === 'block')
    .map(({ rule, statement, line, lock, blocks }) => ({
      version,
      rule,
      statement,
      line,
      lock,
      blocks,
    }))

function namesOf(tasks: readonly Task[]): string {
  const { shown, more } = shortened(tasks.map(({ version, name }) => `${version}_${name}`))
  const count = tasks.length === 1 ? '1 migration' : `${tasks.length} migrations`
  return `${count} (${shown.join(', ')}${more && ` and${more}`})`
}

function shortened(all: readonly string[]): { shown: readonly string[]; more: string } {
  const more = all.length - MAX_SHOWN
  return { shown: all.slice(0, MAX_SHOWN), more: more > 0 ? ` ${more} more` : '' }
}

const refused = (when: string, next: string): AppError =>
  new AppError(
    'permission_denied',
    `The policy refuses rollbacks and migrations that lose data or make others wait${when}.`,
    { hint: `${next}; the policy is migrations.destructive in CATALYST_POLICY_FILE.` },
  )
