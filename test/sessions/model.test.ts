import fc from 'fast-check'
import { afterAll, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/lib/clock.js'
import { startApp, type TestApp, ToolError } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

/** What a session should hold, had it no database. */
interface ModelSession {
  readonly id: string
  readonly client: 0 | 1
  readonly staged: string[]
  ended: 'open' | 'done' | 'lost' | 'expired' | 'unknown'
  /** The commit whose answer was lost, and what it was to commit. */
  pending: { readonly key: string; readonly stories: string[] } | null
}

interface Model {
  readonly committed: Set<string>
  readonly sessions: ModelSession[]
}

const database = await createDatabase()
/** The way to the database, which may be cut at a commit. */
const proxy = await FaultProxy.start(database.url)
afterAll(() => proxy.close())
const env = { DATABASE_URL: proxy.url(database.name) }
/** The database stays away only once: finding out that nobody can say anything takes ten seconds. */
let absences = 0

/** How far the server's clock is ahead of ours. */
let aheadMs = 0
/** A second more than a session may be idle. */
const IDLE_MS = 301_000

/** The product under test: two clients on one server, which may be restarted. */
class System {
  app: TestApp
  #clients: TestApp['client'][] = []

  constructor(app: TestApp) {
    this.app = app
  }

  static async start(): Promise<System> {
    const system = new System(await startApp({ database, env }))
    await system.connect()
    return system
  }

  async connect(): Promise<void> {
    this.#clients = [this.app.client, await this.app.connect('legacy')]
  }

  async restart(): Promise<void> {
    await this.app.close()
    this.app = await startApp({ database, env })
    await this.connect()
  }

  client(session: { client: 0 | 1 }) {
    const client = this.#clients[session.client]
    if (!client) throw new Error('no such client')
    return client
  }
}

let stories = 0
const newStory = () => {
  const name = `Model story ${++stories}`
  return { name, params: article({ headline: name, symbol: `M${stories}` }) }
}

const open = (model: Model) => model.sessions.filter(({ ended }) => ended === 'open')

/** The database holds what the model says was committed, and nothing else. */
async function check(model: Model): Promise<void> {
  const rows = await database.query<{ headline: string }>(
    `select headline from catalyst.news_articles where headline like 'Model story %'`,
  )
  expect(new Set(rows.map(({ headline }) => headline))).toEqual(model.committed)
}

/** The error code of a call, or null when it succeeded. */
async function codeOf(call: Promise<unknown>): Promise<string | null> {
  try {
    await call
    return null
  } catch (error) {
    if (error instanceof ToolError) return error.body.code
    throw error
  }
}

type Step = fc.AsyncCommand<Model, System>

class OnSession {
  readonly pick: number
  constructor(pick: number) {
    this.pick = pick
  }
  check = (model: Readonly<Model>) => open(model).length > 0
  session(model: Model): ModelSession {
    const sessions = open(model)
    const session = sessions[this.pick % sessions.length]
    if (!session) throw new Error('no session is open')
    return session
  }
}

class Start implements Step {
  readonly client: 0 | 1
  constructor(client: 0 | 1) {
    this.client = client
  }
  check = (model: Readonly<Model>) => open(model).length < 4
  async run(model: Model, system: System): Promise<void> {
    // A busy machine may not give a connection in time: nothing is there then.
    const { session_id } = await waitFor(() =>
      system
        .client(this)
        .tool('start_db_session')
        .catch((error: unknown) => {
          if (error instanceof ToolError && error.body.code === 'unavailable') return null
          throw error
        }),
    )
    const session = { id: session_id, client: this.client, staged: [], pending: null }
    model.sessions.push({ ...session, ended: 'open' })
    await check(model)
  }
  toString = () => `start(client ${this.client})`
}

class Operate extends OnSession implements Step {
  async run(model: Model, system: System): Promise<void> {
    const session = this.session(model)
    const { name, params } = newStory()
    await system
      .client(session)
      .tool('persist_news_catalyst', { ...params, session_id: session.id })
    session.staged.push(name)
    await check(model)
  }
  override toString = () => `operate(${this.pick})`
}

class Execute extends OnSession implements Step {
  readonly commit: boolean
  constructor(pick: number, commit: boolean) {
    super(pick)
    this.commit = commit
  }
  async run(model: Model, system: System): Promise<void> {
    const session = this.session(model)
    const { name, params } = newStory()
    await system.client(session).tool('execute_transaction', {
      session_id: session.id,
      operations: [{ tool: 'persist_news_catalyst', params }],
      commit: this.commit,
    })
    session.staged.push(name)
    if (this.commit) for (const staged of session.staged.splice(0)) model.committed.add(staged)
    await check(model)
  }
  override toString = () => `execute(${this.pick}, commit ${this.commit})`
}

class Fail extends OnSession implements Step {
  async run(model: Model, system: System): Promise<void> {
    const session = this.session(model)
    const call = system.client(session).tool('execute_transaction', {
      session_id: session.id,
      operations: [
        { tool: 'persist_news_catalyst', params: newStory().params },
        { tool: 'persist_news_catalyst', params: { headline: 'incomplete' } },
      ],
    })
    expect(await codeOf(call)).toBe('invalid_input')
    session.staged.length = 0
    await check(model)
  }
  override toString = () => `fail(${this.pick})`
}

class End extends OnSession implements Step {
  readonly outcome: 'commit' | 'rollback'
  constructor(pick: number, outcome: 'commit' | 'rollback') {
    super(pick)
    this.outcome = outcome
  }
  async run(model: Model, system: System): Promise<void> {
    const session = this.session(model)
    const { outcome } = this
    await system.client(session).tool('end_db_session', { session_id: session.id, outcome })
    if (outcome === 'commit') for (const staged of session.staged) model.committed.add(staged)
    session.ended = 'done'
    await check(model)
  }
  override toString = () => `end(${this.pick}, ${this.outcome})`
}

/** The answer of a commit is lost, or COMMIT itself; whoever sends the call again by its key learns which. */
class LoseCommit extends OnSession implements Step {
  readonly kept: boolean
  readonly away: boolean
  constructor(pick: number, kept: boolean, away: boolean) {
    super(pick)
    this.kept = kept
    this.away = away
  }
  override check = (model: Readonly<Model>) =>
    open(model).length > 0 && (!this.away || absences === 0)
  async run(model: Model, system: System): Promise<void> {
    const session = this.session(model)
    const { name, params } = newStory()
    const key = `commit of ${name}`.replaceAll(' ', '-')
    const call = {
      session_id: session.id,
      operations: [{ tool: 'persist_news_catalyst', params }],
      idempotency_key: key,
    }
    session.pending = { key, stories: [...session.staged, name] }
    this.#cut()
    const code = await codeOf(system.client(session).tool('execute_transaction', call))
    proxy.set(null)
    const wasAway = proxy.isClosed
    proxy.isClosed = false
    // The cut may have met the commit of something else: what was answered is what counts.
    expect([null, 'session_lost', 'outcome_unknown']).toContain(code)
    if (code === 'outcome_unknown') expect(this.away).toBe(true)
    if (code !== null) session.ended = code === 'session_lost' ? 'lost' : 'unknown'
    session.staged.length = 0
    if (wasAway) for (const one of open(model)) await this.#lose(system, one)
    const isKept = code === null || (await this.#isKept(system, session, call))
    if (isKept) for (const story of session.pending.stories) model.committed.add(story)
    await check(model)
  }
  #cut(): void {
    if (this.away) absences++
    proxy.set({
      at: ({ sinceCommit }) => {
        if (sinceCommit !== (this.kept ? 2 : 1)) return false
        if (this.away) {
          proxy.isClosed = true
          setImmediate(() => proxy.resetAll())
        }
        return true
      },
      deliver: false,
      how: 'reset',
      times: 3,
    })
  }
  /** Every connection was cut. */
  async #lose(system: System, session: ModelSession): Promise<void> {
    const uri = `db/sessions/${session.id}`
    const read = () => codeOf(system.client(session).tool('read_resource', { uri }))
    await waitFor(async () => (await read()) === 'session_lost')
    session.ended = 'lost'
  }
  async #isKept(system: System, session: ModelSession, call: object): Promise<boolean> {
    const code = await waitFor(async () => {
      const found = await codeOf(system.client(session).tool('execute_transaction', { ...call }))
      return found === 'unavailable' ? false : { found }
    })
    expect([null, 'session_lost']).toContain(code.found)
    return code.found === null
  }
  override toString = () => `loseCommit(${this.pick}, kept ${this.kept}, away ${this.away})`
}

class KillBackend extends OnSession implements Step {
  async run(model: Model, system: System): Promise<void> {
    const session = this.session(model)
    const details = await system.client(session).resource(`db/sessions/${session.id}`)
    const pid = details.connection_info.backend_pid
    await database.query('select pg_terminate_backend($1)', [pid])
    session.ended = 'lost'
    await check(model)
  }
  override toString = () => `kill(${this.pick})`
}

class Restart implements Step {
  check = () => true
  async run(model: Model, system: System): Promise<void> {
    await system.restart()
    for (const session of open(model)) session.ended = 'lost'
    await check(model)
  }
  toString = () => 'restart()'
}

/** Nobody uses any session for longer than it may be idle. */
class Expire implements Step {
  check = (model: Readonly<Model>) => open(model).length > 0
  async run(model: Model, system: System): Promise<void> {
    aheadMs += IDLE_MS
    for (const session of open(model)) {
      const reading = system.client(session).resource(`db/sessions/${session.id}`)
      await expect(reading).rejects.toThrow('limit')
      session.ended = 'expired'
    }
    await check(model)
  }
  toString = () => 'expire()'
}

const CODES = {
  done: 'not_found',
  lost: 'session_lost',
  expired: 'session_expired',
  unknown: 'outcome_unknown',
} as const

class UseEnded implements Step {
  readonly pick: number
  constructor(pick: number) {
    this.pick = pick
  }
  check = (model: Readonly<Model>) => model.sessions.some(({ ended }) => ended !== 'open')
  async run(model: Model, system: System): Promise<void> {
    const sessions = model.sessions.filter(({ ended }) => ended !== 'open')
    const session = sessions[this.pick % sessions.length]
    if (!session || session.ended === 'open') throw new Error('no session has ended')
    const call = system.client(session).tool('persist_news_catalyst', {
      ...newStory().params,
      session_id: session.id,
    })
    expect(await codeOf(call)).toBe(CODES[session.ended])
    await check(model)
  }
  toString = () => `useEnded(${this.pick})`
}

test('whatever clients, faults and restarts do, the database holds what was committed and only that', async () => {
  vi.spyOn(systemClock, 'now').mockImplementation(() => new Date(Date.now() + aheadMs))
  const pick = fc.nat(3)
  const start = fc.constantFrom<0 | 1>(0, 1).map((client) => new Start(client))
  const operate = pick.map((n) => new Operate(n))
  const execute = fc.tuple(pick, fc.boolean()).map(([n, commit]) => new Execute(n, commit))
  const fail = pick.map((n) => new Fail(n))
  const outcome = fc.constantFrom<'commit' | 'rollback'>('commit', 'rollback')
  const lose = fc
    .tuple(pick, fc.boolean(), fc.nat(3))
    .map(([n, kept, away]) => new LoseCommit(n, kept, away === 0))
  const end = fc.tuple(pick, outcome).map(([n, how]) => new End(n, how))
  // Work is more frequent than disaster, or no sequence would get far.
  const commands = [
    ...[lose, lose, start, start, operate, operate, operate, execute, execute, execute],
    ...[fail, fail, end, pick.map((n) => new KillBackend(n)), pick.map((n) => new UseEnded(n))],
    fc.nat(9).map((n) => (n === 0 ? new Restart() : n === 1 ? new Expire() : new Start(0))),
  ]
  const system = await System.start()
  const committed = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: 'max' }), async (steps) => {
      // Sessions of an earlier run that are still open hold nothing this run looks at.
      const model: Model = { committed, sessions: [] }
      await fc.asyncModelRun(() => ({ model, real: system }), steps)
      for (const { id, client } of open(model)) {
        await system
          .client({ client })
          .tool('end_db_session', { session_id: id, outcome: 'rollback' })
      }
    }),
    { numRuns: 25, endOnFailure: true },
  )
}, 600_000)
