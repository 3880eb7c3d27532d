import { createInterface } from 'node:readline'
import { AppError } from '../errors.js'
import { digestOf, type Question } from '../lib/confirmation.js'
import { Interrupted } from './exit.js'
import { outline } from './outline.js'
import { print } from './print.js'
import { watchSignals } from './signals.js'

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
  print(
    { status: 'confirmation_required', message, plan, next },
    { json },
    () => `${message}\n\n${outline(plan)}\n`,
  )
  const canAsk = !json && process.stdin.isTTY && process.stdout.isTTY
  if (canAsk && (await ask('Type "yes" to do it: ')) === 'yes') return digestOf(plan)
  throw new AppError('confirmation_required', 'Not confirmed; nothing was done.', {
    hint: `When the plan is right: ${next}`,
  })
}

/** The answer; empty when the terminal was closed instead (Ctrl-D). */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await new Promise((resolve, reject) => {
      terminal.question(question, (answer) => resolve(answer.trim()))
      terminal.once('SIGINT', () => reject(new Interrupted()))
      void watchSignals().received.then((exitCode) => reject(new Interrupted(exitCode)))
      terminal.once('close', () => resolve(''))
    })
  } finally {
    terminal.close()
  }
}
