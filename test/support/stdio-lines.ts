import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { inject, onTestFinished } from 'vitest'

const MAIN = resolve(import.meta.dirname, '../../dist/main.js')

/** The built program on pipes, to be spoken to in lines of any text; killed after the test. */
export function spawnStdio(databaseUrl: string) {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      REDIS_URL: `unix://${inject('redisPath')}`,
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  return { child, text: () => text }
}
