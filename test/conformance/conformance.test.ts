import { expect, test } from 'vitest'
import { startEndpoint } from '../support/endpoint.js'
import { joinFixtures } from './extension.js'
import { fixtures } from './fixtures.js'
import { judge } from './referee.js'

const url = await startEndpoint({
  domains: [fixtures],
  extend: (bus) => (server) => joinFixtures(server, bus),
})

test.each([
  ['2025-11-25', { scenarios: 30 + 1, passed: 73 }, ['server-session-lifecycle']],
  ['2026-07-28', { scenarios: 37 + 1, passed: 134 }, ['http-header-validation']],
])('the referee finds no fault by %s', async (revision, counts, beyond) => {
  const verdict = await judge(url, revision, beyond)
  expect(verdict).toEqual({ exitCode: 0, failures: [], missing: [], ...counts })
})
