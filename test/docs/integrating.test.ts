import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const page = readFileSync('docs/integrating.md', 'utf8')
const { url } = await startApp()
const run = promisify(execFile)

const block = (language: string): string =>
  page.split(`\n\`\`\`${language}\n`)[1]?.split('\n```')[0] ?? ''
const has = (program: string) => spawnSync(program, ['--version']).status === 0

test.skipIf(!has('python3'))(
  'the example in Python stores a story once and is told of it',
  async () => {
    const { stdout } = await run('python3', ['-c', block('python')], {
      env: { PATH: process.env.PATH, CATALYST_URL: url },
    })
    expect(stdout).toMatch(/^nws_[0-9a-f]{32}\nTrue\n\d+ db\.transaction \[\{.*'kind': 'news'/)
  },
)

test.skipIf(!has('curl'))('the example with curl reads the status', async () => {
  const line = block('sh').replace('http://127.0.0.1:8642/mcp', url)
  const { stdout } = await run('sh', ['-c', line])
  expect(JSON.parse(stdout).result.structuredContent).toMatchObject({
    postgresql: { status: 'up' },
  })
})
