import type { Grant } from './grants.js'

/** Which tools a client is served: by the settings for everyone, by its URL or token for one. */
export interface Scope {
  /** Names of the parts whose tools are served; null for all. */
  readonly toolsets: ReadonlySet<string> | null
  /** Only tools that change nothing. */
  readonly readOnly: boolean
  /** What the caller may do; null for everything. Enforced where a tool runs, whatever was listed. */
  readonly grants: ReadonlySet<Grant> | null
}

/** Every tool that there is. */
export const EVERYTHING: Scope = { toolsets: null, readOnly: false, grants: null }

/** Whether a tool lies within a scope. */
export const admits = (
  { toolsets, readOnly }: Pick<Scope, 'toolsets' | 'readOnly'>,
  tool: { readonly domain: string; readonly effect: string },
): boolean => (toolsets?.has(tool.domain) ?? true) && (!readOnly || tool.effect === 'read')

/** The names in `a,b , c`; null when there are none. */
export function toolsetNames(text: string | null | undefined): ReadonlySet<string> | null {
  const names = (text ?? '').split(',').map((name) => name.trim().toLowerCase())
  const given = names.filter((name) => name !== '')
  return given.length > 0 ? new Set(given) : null
}

/** Why these toolsets cannot be served; null when they can. */
export function toolsetProblem(
  asked: ReadonlySet<string> | null,
  known: ReadonlySet<string>,
): string | null {
  const unknown = [...(asked ?? [])].filter((name) => !known.has(name))
  if (unknown.length === 0) return null
  const shown = unknown.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 64)))
  return `There is no toolset ${shown.join(', ')}. There are: ${[...known].sort().join(', ')}.`
}
