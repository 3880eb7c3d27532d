/** What a caller may be allowed to do; each is given by itself, none includes another. */
export const GRANTS = {
  'db:read': 'read resources and call tools that change nothing',
  'db:write': 'store news, prices, signals, fills and patterns; sessions, cache, syncs',
  'db:migrate': 'create, run and roll back migrations',
  'db:backup': 'take and verify backups',
  'db:restore': 'restore backups and discard what was restored',
  'db:admin': 'maintenance of tables, the assistant and its decisions, everything that can destroy',
} as const

/** The name of one of them, a scope in the words of OAuth. */
export type Grant = keyof typeof GRANTS

/** All of them. */
export const ALL_GRANTS = Object.keys(GRANTS) as readonly Grant[]

/** True for the name of a grant. */
export const isGrant = (name: string): name is Grant => Object.hasOwn(GRANTS, name)
