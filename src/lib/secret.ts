import { inspect } from 'node:util'

/** A value that prints, logs and serialises as `[redacted]`; only `reveal` gives it out. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself, for the one place that needs it. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[redacted]'
  }

  toJSON(): string {
    return '[redacted]'
  }

  [inspect.custom](): string {
    return '[redacted]'
  }
}

/** How what stands for something else in a URL is written in a password. */
export const ENCODING_HINT =
  'in a user name or password write % as %25, @ as %40, / as %2F, ? as %3F and # as %23'

/** A URL with its user, password and parameters taken out, for logs and answers. */
export function redactUrl(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^?#]*)/i.exec(url)
  return match ? `${match[1]}${match[2]}` : '[redacted]'
}
