import { RULES } from './rules.js'

/** One rule, as the documentation lists it. */
export interface RuleDoc {
  readonly name: string
  readonly severity: 'error' | 'block' | 'warn'
  readonly what: string
  readonly safeWay: string | null
}

/** Every rule of ours, worst first, then by name. */
export const ruleDocs = (): RuleDoc[] =>
  (['error', 'block', 'warn'] as const).flatMap((severity) =>
    RULES.filter((rule) => rule.severity === severity)
      .map(({ name, what, safeWay }) => ({
        name,
        severity,
        what,
        safeWay,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  )
