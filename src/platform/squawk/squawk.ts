import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { devNull } from 'node:os'
import { z } from 'zod'

/** One thing that squawk says of a script. */
export interface SquawkRemark {
  readonly rule: string
  /** From 1. */
  readonly line: number
  readonly message: string
  readonly help: string | null
}

/** What squawk says; `absent` without the program, `unreadable` when it could not judge the script. */
export type SquawkAnswer =
  | { readonly state: 'absent' | 'unreadable' }
  | { readonly state: 'read'; readonly remarks: readonly SquawkRemark[] }

/** What is asked of squawk. */
export interface SquawkRequest {
  readonly sql: string
  /** Rules that it should leave to others. */
  readonly exclude: readonly string[]
  readonly isTransactional: boolean
  /** Where the program is, instead of where npm puts it. */
  readonly program?: string
}

/** 5 MB take it 4 s on a busy machine. */
const TIMEOUT_MS = 10_000
/** About 50,000 remarks. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024
/** Nothing of our environment: it holds passwords. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin' }

const Remarks = z.array(
  z.object({
    line: z.number().int(),
    rule_name: z.string(),
    message: z.string(),
    help: z.string().nullable(),
  }),
)

/** Has squawk judge a script, in a process of its own: some scripts overflow its stack. */
export function runSquawk(request: SquawkRequest): Promise<SquawkAnswer> {
  const { exclude, isTransactional, program = installed() } = request
  const args = [
    ...['--reporter', 'Json', '--pg-version', '18', '--stdin-filepath', 'migration.sql'],
    // Neither a settings file of the working directory nor comments of the script may silence it.
    ...['--config', devNull],
    ...exclude.flatMap((rule) => ['--exclude', rule]),
    ...(isTransactional ? ['--assume-in-transaction'] : []),
  ]
  const options = {
    env: ENVIRONMENT,
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
    windowsHide: true,
  } as const
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (error, stdout) => {
      if (error?.code === 'ENOENT') resolve({ state: 'absent' })
      else resolve(error && error.code !== FOUND_SOMETHING ? { state: 'unreadable' } : read(stdout))
    })
    // It may end before it has read everything.
    child.stdin?.on('error', () => {})
    child.stdin?.end(request.sql.replaceAll(/squawk-ignore/gi, 'squawk_ignore'))
  })
}

const FOUND_SOMETHING = 1

/** The program that npm installed for this machine, else the one of the system, if any. */
function installed(): string {
  const name = process.platform === 'win32' ? 'squawk.exe' : 'squawk'
  try {
    const launcher = createRequire(import.meta.url).resolve('squawk-cli/package.json')
    const native = `@squawk-cli/${process.platform}-${process.arch}/bin/${name}`
    return createRequire(launcher).resolve(native)
  } catch {
    return name
  }
}

function read(stdout: string): SquawkAnswer {
  const parsed = Remarks.safeParse(json(stdout))
  const isRead =
    parsed.success && !parsed.data.some((remark) => remark.rule_name === 'syntax-error')
  if (!isRead) return { state: 'unreadable' }
  const remarks = parsed.data.map(({ rule_name: rule, line, message, help }) => ({
    rule,
    line: line + 1,
    message,
    help,
  }))
  return { state: 'read', remarks }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
