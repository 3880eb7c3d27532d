import { createInterface } from 'node:readline/promises'
import { AppError } from '../errors.js'
import { digestOf, type Question } from '../lib/confirmation.js'

/** How a command may be confirmed. */
export interface Confirming {
  readonly yes?: boolean
  readonly json?: boolean
}

/**
 * The digest of the plan, once `--yes` or the person at the terminal has agreed to it.
 *
 * @throws AppError `confirmation_required` without a yes; the plan was printed then
 */
export async function confirmed(
  { message, plan }: Question,
  { yes, json }: Confirming,
  command: string,
): Promise<string> {
  if (yes) return digestOf(plan)
  const next = `catalyst-db ${command} --yes`
  const shown = JSON.stringify(
    json ? { status: 'confirmation_required', message, plan, next } : plan,
    null,
    2,
  )
  process.stdout.write(json ? `${shown}\n` : `${message}\n${shown}\n`)
  const canAsk = !json && process.stdin.isTTY && process.stdout.isTTY
  if (canAsk && (await ask('Type "yes" to do it: ')) === 'yes') return digestOf(plan)
  throw new AppError('confirmation_required', 'Not confirmed; nothing was done.', {
    hint: `When the plan is right: ${next}`,
  })
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return (await terminal.question(question)).trim()
  } finally {
    terminal.close()
  }
}
