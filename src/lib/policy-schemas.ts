import { z } from 'zod'

/** From 0 to 1. */
export const share = () => z.number().min(0).max(1)

/** Above 0, at most 100. */
export const percent = () => z.number().positive().max(100)

/** Above 0, at most 100 times something. */
export const multiple = () => z.number().positive().max(100)
