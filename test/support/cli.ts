import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { onTestFinished } from 'vitest'
import { type Era, TestClient } from './app.js'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** What a command of the built program printed and how it ended. */
export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The environment of a command: nothing of ours but PATH and HOME. */
const cleanEnv = (env: Record<string, string>): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  ...env,
})

/** A running command of the built program. */
export class Command {
  stdout = ''
  stderr = ''
  readonly ended: Promise<CommandResult>
  readonly #child

  constructor(args: readonly string[], env: Record<string, string>) {
    const child = spawn(process.execPath, [MAIN, ...args], { env: cleanEnv(env) })
    this.#child = child
    child.stdout.on('data', (chunk) => {
      this.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      this.stderr += chunk
    })
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }))
    })
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await this.ended
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

/** Runs a command to its end. */
export const runCommand = (
  args: readonly string[],
  env: Record<string, string>,
): Promise<CommandResult> => new Command(args, env).ended

/** Connects the official client to the built program over its real stdin and stdout. */
export async function connectStdio(era: Era, env: Record<string, string>) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN],
    env: cleanEnv(env),
    stderr: 'pipe',
  })
  const sdk = new Client(
    { name: 'test', version: '0' },
    era === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {},
  )
  await sdk.connect(transport)
  const client = TestClient.around(sdk)
  onTestFinished(() => client.close())
  return { client, pid: transport.pid ?? 0 }
}
