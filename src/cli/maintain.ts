import { setTimeout as delay } from 'node:timers/promises'
import type { App } from '../app.js'
import { steerAssistant } from '../commands.js'
import { AppError, type ErrorBody, recallError } from '../errors.js'
import { isFinal } from '../lib/job.js'
import { MAINTENANCE_ACTIONS, type MaintenanceAction } from '../lib/maintenance-actions.js'
import { EVERYTHING } from '../lib/scope.js'
import { createLog } from '../platform/log.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import { type Env, readConfig, start } from './start.js'
import { write } from './terminal.js'

/** What was asked for on the command line. */
interface MaintainOptions {
  readonly once?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly stop?: boolean
  readonly resume?: boolean
  readonly enable?: string
}

interface Report {
  readonly report_id: string | null
  readonly verdict: string | null
  readonly summary: string
}

const LOOK_MS = 500
const OPERATOR = 'cli'

/** Runs maintenance now and prints its report; goes on with it by the schedule, unless once was asked for. */
export async function maintain(env: Env, options: MaintainOptions): Promise<number> {
  if (options.stop || options.resume || options.enable) return steer(env, options)
  const { app, interrupted } = await start(env)
  try {
    let shown = await round(app, options.dryRun ?? false)
    print(shown, options, readable)
    if (options.once) return shown.verdict === 'healthy' ? EXIT.ok : EXIT.findings
    for (;;) {
      const code = await Promise.race([interrupted, delay(LOOK_MS, null)])
      if (code !== null) return code
      const latest = await newest(app)
      if (latest.report_id === shown.report_id) continue
      shown = latest
      print(shown, options, readable)
    }
  } finally {
    await app.drain()
    await app.close()
  }
}

const readable = ({ summary }: Report): string => `${summary}\n`

/** One round, as any client would ask for it, until its end. */
async function round({ serving }: App, dry_run: boolean): Promise<Report> {
  const { registry, dispatcher, jobs } = serving
  const tool = registry.tool('run_maintenance', EVERYTHING)
  if (!tool) {
    throw new AppError('not_supported', 'The settings serve no maintenance.', {
      hint: 'Run it without CATALYST_READ_ONLY, and with the toolset assistant.',
    })
  }
  const outcome = await dispatcher.callTool(tool, { dry_run }, origin())
  if (!outcome.ok) throw told(outcome.error)
  const { status, job_id } = Object(outcome.data)
  if (status !== 'running') return outcome.data as Report
  for (;;) {
    const job = await jobs.get(String(job_id), OPERATOR)
    if (job.error) throw recallError(job.error)
    // Its output schema is the report.
    if (isFinal(job)) return Object(job.result)
    await delay(LOOK_MS)
  }
}

async function newest({ serving }: App): Promise<Report> {
  const outcome = await serving.dispatcher.readResource('assistant/reports/latest', origin())
  if (outcome.ok) return outcome.data as Report
  throw told(outcome.error)
}

const told = (error: ErrorBody): AppError => recallError(error)

const origin = () => ({
  principal: OPERATOR,
  owner: OPERATOR,
  scope: EVERYTHING,
  signal: new AbortController().signal,
  progress: () => {},
})

/** Pulls the emergency stop for all servers of a database, lets go of it, or enables an action again. */
async function steer(env: Env, { stop, resume, enable }: MaintainOptions): Promise<number> {
  const config = readConfig(env)
  const action = MAINTENANCE_ACTIONS.find((known) => known === enable)
  if (enable !== undefined && !action) throw unknownAction()
  await steerAssistant(config, createLog('silent'), wishOf(stop, resume, action))
  if (stop) write('The assistant does nothing from now on, on any server of this database.\n')
  if (resume) write('The assistant goes on.\n')
  if (action) write(`${action} may be done again.\n`)
  return EXIT.ok
}

const wishOf = (stop?: boolean, resume?: boolean, action?: MaintenanceAction) => ({
  stopped: stop ? true : resume ? false : null,
  enable: action ?? null,
})

const unknownAction = (): AppError =>
  new AppError('invalid_input', 'There is no such action.', {
    hint: `Actions: ${MAINTENANCE_ACTIONS.join(', ')}.`,
  })
