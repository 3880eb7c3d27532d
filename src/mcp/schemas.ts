import { z } from 'zod'
import { idempotencyKey, identifier } from '../lib/schemas.js'

export { describeIssues } from '../lib/issues.js'
export { toAnswerOutline, toArgumentOutline, toJsonSchema } from '../lib/json-schema.js'

/** Arguments every job tool takes beside its own. */
export const JOB_ARGUMENTS = {
  idempotency_key: idempotencyKey(),
}

/** The argument that every tool which asks for confirmations takes beside its own. */
export const CONFIRM_ARGUMENTS = {
  confirm_token: identifier(64).optional().describe('Of the question.'),
}

/** A call's arguments without those that say how it is made. */
export function ownArguments(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { idempotency_key: _key, confirm_token: _token, ...own } = args
  return own
}

/** Arguments every persisting tool takes beside its own. */
export const PERSIST_ARGUMENTS = {
  session_id: identifier(64).optional().describe('Joins its transaction.'),
  ...JOB_ARGUMENTS,
}

/** What every persisting tool answers beside its own fields. */
export const PERSIST_ANSWER = {
  replayed: z.literal(true).optional(),
}

const RUNNING = {
  status: z.literal('running').optional(),
  job_id: z.string().optional().describe('See get_job, cancel_job.'),
}

/**
 * What a job tool answers: its own answer once it is done, or that it is still running. One
 * object, because 2025 clients insist on one and a union would say every field twice.
 */
export function jobAnswer(done: z.ZodObject): z.ZodObject {
  for (const name of Object.keys(RUNNING)) {
    if (name in done.shape) throw new Error(`a job tool cannot answer a field named ${name}`)
  }
  return done.partial().extend({ ...RUNNING, ...PERSIST_ANSWER })
}
