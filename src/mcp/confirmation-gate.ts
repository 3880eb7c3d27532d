import { AppError } from '../errors.js'
import type { Caller } from '../lib/caller.js'
import {
  type ConfirmationReply,
  type ConfirmationTicket,
  digestOf,
  type Question,
} from '../lib/confirmation.js'
import type { BoundTool, Confirmations } from './define.js'
import { parseArguments } from './registry.js'
import { ownArguments } from './schemas.js'

/** A caller who may already have been asked. */
export interface Asker extends Caller {
  /** Set when the call comes again after its question was put to the user. */
  readonly reply?: ConfirmationReply | null
  /** Digest of the plan of this call that was agreed to as part of another one's. */
  readonly agreedPlan?: string | null
}

/** Lets destructive calls pass only once somebody has agreed to exactly what they are about to do. */
export class ConfirmationGate {
  readonly #confirmations: Confirmations

  constructor(confirmations: Confirmations) {
    this.#confirmations = confirmations
  }

  /**
   * The digest of the plan that was confirmed; null when this call needs no confirmation.
   *
   * @throws AppError `confirmation_required` with the plan and a token, `cancelled` when the user said
   *   no, `invalid_input` for a token that is not good for this call
   */
  async pass(tool: BoundTool, args: unknown, caller: Asker): Promise<string | null> {
    if (!tool.confirm) return null
    const parsed = parseArguments(tool, args)
    const question = await tool.confirm(ownArguments(parsed), caller)
    if (!question) return null
    const { principal, reply = null, agreedPlan = null } = caller
    if (agreedPlan !== null && agreedPlan === digestOf(question.plan)) return agreedPlan
    if (reply && reply.verdict !== 'accepted') {
      await this.#confirmations.revoke(reply.token, principal)
      if (reply.verdict === 'declined') throw declined()
    }
    const digest = digestOf({ arguments: ownArguments(Object(args)), plan: question.plan })
    const claim = { principal, tool: tool.name, digest }
    const token = reply?.verdict === 'accepted' ? reply.token : parsed.confirm_token
    if (typeof token !== 'string') {
      throw required(question, await this.#confirmations.issue(claim), reply !== null)
    }
    const { record } = caller
    if (!record) throw new Error('a call that is not audited cannot be confirmed')
    const confirmedBy = reply ? 'elicitation' : 'token'
    const intent = record.intent(confirmedBy, question.plan)
    if (!(await this.#confirmations.redeem(token, claim, intent))) throw notGood()
    record.confirmedBy = confirmedBy
    return digestOf(question.plan)
  }

  /**
   * Asks for what a tool has only found out by running: it kept nothing, and its question is known now.
   *
   * @throws AppError the error itself, or the question with its token
   */
  async askAfter(error: unknown, tool: BoundTool, args: unknown, caller: Asker): Promise<never> {
    const isOpen =
      error instanceof AppError && error.code === 'confirmation_required' && !error.confirmation
    if (isOpen) {
      const { confirm_token: _used, ...again } = Object(args)
      await this.pass(tool, again, { ...caller, reply: null })
    }
    throw error
  }
}

function required({ message, plan }: Question, ticket: ConfirmationTicket, wasAsked: boolean) {
  const asked = wasAsked ? 'The host did not get a yes from the user. ' : ''
  return new AppError('confirmation_required', message, {
    hint: `Nothing was done. ${asked}Show the user the plan; only if they agree, repeat the call with confirm_token added and nothing else changed.`,
    confirmation: { ...ticket, plan },
  })
}

const declined = (): AppError =>
  new AppError('cancelled', 'The user declined; nothing was done.', {
    hint: 'Do not repeat the call unless the user asks for it.',
    retryable: false,
  })

const notGood = (): AppError =>
  new AppError('invalid_input', 'confirm_token is not good for this call; nothing was done.', {
    hint: 'A token is good for ten minutes, once, for one caller, and for exactly the arguments and the plan it was given for. Call without it to see the plan as it is now.',
  })
