import { z } from 'zod'
import { Secret } from './secret.js'

/** A setting that is a URL of one of these schemes, and may hold a password. */
export const secretUrl = (...protocols: string[]) =>
  z
    .string()
    .refine((value) => protocols.some((protocol) => value.startsWith(`${protocol}://`)), {
      error: `must start with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
    })
    .transform((value) => new Secret(value))
    .optional()
