import { AppError } from '../../../errors.js'
import { ObjectDamaged } from '../../../platform/objects/pipeline.js'
import { ObjectMissing } from '../../../platform/objects/store.js'

/** Sentences are kept up to so many; who reads more reads none. */
const MOST = 200

/** What a verification found, object by object. */
export class Findings {
  readonly #issues = new Set<string>()
  readonly #notChecked = new Set<string>()
  #untold = 0
  /** Objects that were looked at. */
  objects = 0
  /** Stored bytes of them. */
  bytes = 0

  issue(sentence: string): void {
    if (this.#issues.size < MOST) this.#issues.add(sentence)
    else if (!this.#issues.has(sentence)) this.#untold += 1
  }

  notChecked(sentence: string): void {
    this.#notChecked.add(sentence)
  }

  saw(bytes: number): void {
    this.objects += 1
    this.bytes += bytes
  }

  /** Runs a look at one object: damage is a finding, and anything else that goes wrong ends the verification. */
  async look<T>(looking: Promise<T>): Promise<T | null> {
    try {
      return await looking
    } catch (error) {
      if (!isDamage(error)) throw error
      this.issue(error.message)
      return null
    }
  }

  get issues(): string[] {
    const issues = [...this.#issues]
    return this.#untold > 0 ? [...issues, `There are ${this.#untold} more.`] : issues
  }

  get unchecked(): string[] {
    return [...this.#notChecked]
  }
}

/** What somebody or something did to an object, other than a store that cannot be asked. */
export const isDamage = (error: unknown): error is AppError =>
  error instanceof ObjectDamaged ||
  error instanceof ObjectMissing ||
  (error instanceof AppError && ['integrity_violation', 'not_supported'].includes(error.code))
