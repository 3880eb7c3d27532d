import { AppError } from '../../../errors.js'

/** Why a statement does not pass the read-only door. */
export class Refusal extends AppError {
  /** As clients see it and the audit remembers it. */
  readonly rule: string

  constructor(rule: string, why: string, hint: string) {
    super('permission_denied', `Refused by rule ${rule}: ${why}.`, { hint })
    this.rule = rule
  }
}
