import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { joinFixtures } from './extension.js'
import { fixtures } from './fixtures.js'
import { judge } from './referee.js'
import { taskJobs } from './task-jobs.js'

const { url } = await startApp({
  parts: [fixtures, taskJobs],
  extend: (bus) => (server, context) => joinFixtures(server, bus, context),
})

/** The tenth, about notifications, the referee itself skips. */
const TASKS = [
  'tasks-lifecycle',
  'tasks-capability-negotiation',
  'tasks-wire-fields',
  'tasks-request-state-removal',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-dispatch-and-envelope',
  'tasks-required-task-error',
  'tasks-mrtr-composition',
]

test.each([
  ['2025-11-25', { scenarios: 30 + 1, passed: 73 }, ['server-session-lifecycle']],
  ['2026-07-28', { scenarios: 37 + 10, passed: 178 }, ['http-header-validation', ...TASKS]],
])('the referee finds no fault by %s', async (revision, counts, beyond) => {
  const verdict = await judge(url, revision, beyond)
  expect(verdict).toEqual({ exitCode: 0, failures: [], missing: [], ...counts })
})
