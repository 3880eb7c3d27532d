import { spawnSync } from 'node:child_process'
import { AppError } from '../../errors.js'
import { findOnPath, type PostgresBinaries } from './binaries.js'

/** A way to run PostgreSQL, which refuses to run as root. */
export interface Runner {
  /** For the log. */
  readonly description: string
  /** Who must own the files it works on, seen from this process. */
  readonly owner: Owner
  /** Given to the child by the kernel, when it is to run as another user. */
  readonly identity: { readonly uid?: number; readonly gid?: number }
  /** What stands before the program on the command line. */
  readonly prefix: readonly string[]
}

/** A user and its group. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * The first way that really runs the program: `postgres --version` tries at once whether the kernel
 * allows it, whether that user reaches the program, and whether its libraries load.
 *
 * @param clusterOwner who owns the existing cluster, preferred when root has the choice
 * @throws AppError `unavailable` that names what each way failed with
 */
export function chooseRunner(binaries: PostgresBinaries, clusterOwner: Owner | null): Runner {
  const failures: string[] = []
  for (const runner of candidates(clusterOwner)) {
    const failure = probe(runner, binaries)
    if (failure === null) return runner
    failures.push(`${runner.description}: ${failure}`)
  }
  throw new AppError(
    'unavailable',
    `The embedded PostgreSQL cannot be run (${failures.join('; ')}).`,
    {
      hint: `${isRoot() ? 'Run catalyst-db as an ordinary user' : 'It needs glibc 2.27 or later on Linux (not Alpine)'}, or set DATABASE_URL.`,
      retryable: false,
    },
  )
}

/** The command line that runs a program this way. */
export function commandFor({ prefix }: Runner, program: string, args: readonly string[]) {
  const [file = program, ...rest] = [...prefix, program, ...args]
  return { file, args: rest }
}

function* candidates(clusterOwner: Owner | null): Generator<Runner> {
  const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  if (!isRoot()) {
    yield { description: 'this user', owner: me, identity: {}, prefix: [] }
    return
  }
  if (clusterOwner && clusterOwner.uid !== 0) yield asUser('who owns the data', clusterOwner)
  const nobody = lookUp('nobody')
  if (nobody) yield* inUserNamespace(me, nobody)
  const postgres = lookUp('postgres')
  if (postgres) yield asUser('postgres', postgres)
  if (nobody) yield asUser('nobody', nobody)
}

const isRoot = (): boolean => process.getuid?.() === 0

/**
 * In a user namespace root is shown to PostgreSQL as somebody else while every file stays root's,
 * also below directories such as /root that other users cannot enter. It is shown as `nobody`
 * because initdb looks its user up by number, and that one every machine has.
 */
function inUserNamespace(me: Owner, nobody: Owner): Runner[] {
  const unshare = findOnPath(['unshare'])
  if (!unshare) return []
  const map = [`--map-user=${nobody.uid}`, `--map-group=${nobody.gid}`]
  const prefix = [unshare, '--user', ...map, '--']
  return [{ description: 'user namespace', owner: me, identity: {}, prefix }]
}

const asUser = (name: string, owner: Owner): Runner => ({
  description: `user ${name}`,
  owner,
  identity: owner,
  prefix: [],
})

function lookUp(name: string): Owner | null {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }))
  if (uid?.status !== 0 || gid?.status !== 0) return null
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

function probe(runner: Runner, { postgres, env }: PostgresBinaries): string | null {
  const { file, args } = commandFor(runner, postgres, ['--version'])
  const { status, error, stderr } = spawnSync(file, args, {
    ...runner.identity,
    env: { ...env },
    cwd: '/',
    encoding: 'utf8',
    timeout: 10_000,
  })
  if (status === 0) return null
  return error?.message ?? (stderr.trim().split('\n').at(-1) || `exit status ${status}`)
}
