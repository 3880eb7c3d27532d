import { type Counted, type Loss, lossOf } from './loss.js'
import type { CatalogEntry } from './snapshot.sql.js'

/** A catalog by `kind:id`. */
export type Catalog = ReadonlyMap<string, CatalogEntry>

/** A table whose storage is another one: only its size tells whether its rows were kept. */
export interface Replaced {
  readonly oid: string
  /** As it was before. */
  readonly name: string
}

/** What two readings of the catalog say was lost or opened between them. */
export interface CatalogDiff {
  readonly losses: readonly Loss[]
  readonly replaced: readonly Replaced[]
}

/** The entries by their key. */
export const catalogOf = (entries: readonly CatalogEntry[]): Catalog =>
  new Map(entries.map((entry) => [`${entry.kind}:${entry.id}`, entry]))

/** Compares the catalog before a script with the one after it; what is only added is no loss. */
export function diffOf(before: Catalog, after: Catalog): CatalogDiff {
  const context = {
    before,
    after,
    functions: valuesOf(before, 'function', 'name'),
    rights: valuesOf(before, 'right', 'is_like'),
  }
  const losses: Loss[] = []
  const replaced: Replaced[] = []
  for (const [key, entry] of before) {
    const now = after.get(key)
    if (!now) losses.push(...gone(entry, context))
    else if (now.state !== entry.state) {
      losses.push(...changed(entry, now))
      const isTable =
        entry.kind === 'relation' && field(entry, 'relfilenode') !== field(now, 'relfilenode')
      if (isTable) replaced.push({ oid: entry.id, name: entry.name })
    }
  }
  for (const [key, entry] of after) {
    if (before.has(key)) continue
    const isOnOld = entry.parent !== null && before.has(entry.parent)
    const what = KINDS[entry.kind]?.added?.(entry, context, isOnOld) ?? null
    if (what !== null) losses.push(lossOf(what, titleOf(entry)))
  }
  return { losses, replaced }
}

interface Context {
  readonly before: Catalog
  readonly after: Catalog
  readonly functions: ReadonlySet<unknown>
  /** What roles may do with things of an owner already. */
  readonly rights: ReadonlySet<unknown>
}

/** What is told of the entries of a kind. */
interface Kind {
  /** How one is called; `kind name` unless it says otherwise. */
  readonly title?: (entry: CatalogEntry) => string
  /** When it is gone: `dropped` unless it says otherwise; null when something else says it better. */
  readonly gone?: string | null
  /** It is one definition: when it is another one it is replaced, not only changed. */
  readonly isDefinition?: true
  /**
   * What is new and yet changes what was there before: code behind old tables, rights, other meanings of
   * names. Null, as of most kinds, when nobody has to be asked.
   */
  readonly added?: Added
}

type Added = (entry: CatalogEntry, context: Context, isOnOld: boolean) => string | null

const field = ({ state }: CatalogEntry, name: string): unknown => {
  const value: unknown = JSON.parse(state)
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** Kinds that nobody adds by the way: they reach others, or run code at everybody's statements. */
const NEVER: Kind = { added: () => 'added' }
const onOld: Added = (_entry, _context, isOnOld) => (isOnOld ? 'added' : null)
const aboutOld: Added = (entry, context) => (concernsOld(entry, context) ? 'added' : null)
/** Where one field says whether it matters. */
const onOldWith =
  (name: string): Added =>
  (entry, _context, isOnOld) =>
    isOnOld && field(entry, name) === true ? 'added' : null

const RELATION_KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
  c: 'type',
}

/** `table public.orders`, `column note of public.orders`. */
const titleOf = (entry: CatalogEntry): string =>
  KINDS[entry.kind]?.title?.(entry) ?? `${entry.kind} ${entry.name}`

const KINDS: Readonly<Record<string, Kind>> = {
  relation: {
    title: (entry) => `${RELATION_KINDS[String(field(entry, 'relkind'))]} ${entry.name}`,
  },
  column: { added: onOldWith('runs_code') },
  constraint: { isDefinition: true, added: onOldWith('cascades') },
  default: { isDefinition: true },
  trigger: { isDefinition: true, added: onOld },
  rule: { isDefinition: true, added: onOld },
  policy: { isDefinition: true, added: onOld },
  sequence: { gone: null },
  inheritance: {
    title: ({ name }) => name,
    gone: 'detached',
    added: (_entry, _context, isOnOld) => (isOnOld ? 'attached' : null),
  },
  code: { title: ({ name }) => `the call "${name}"`, gone: null, added: onOld },
  schema: {
    added: (entry) => (field(entry, 'of_role') === true ? 'added, under the name of a role' : null),
  },
  function: {
    isDefinition: true,
    added: (entry, context) => {
      if (capturesCalls(entry, context)) return 'added under a name that others call'
      const isDefiner = field(entry, 'definer') === true
      return isDefiner ? 'added, which runs with the rights of its owner' : null
    },
  },
  operator: { added: aboutOld },
  cast: { added: aboutOld },
  right: {
    title: ({ name }) => `the right ${name}`,
    gone: 'taken away',
    added: (entry, { rights }, isOnOld) =>
      opensRight(entry, isOnOld) && !rights.has(field(entry, 'is_like')) ? 'given' : null,
  },
  'event trigger': NEVER,
  language: NEVER,
  transform: NEVER,
  'access method': NEVER,
  'foreign-data wrapper': NEVER,
  'foreign server': NEVER,
  'user mapping': NEVER,
  publication: NEVER,
  'published table': { ...NEVER, gone: null },
  subscription: NEVER,
  setting: NEVER,
  role: NEVER,
  membership: NEVER,
  'default right': NEVER,
}

/** What stays when its parent goes, and is told of by itself. */
const OUTLIVES = ['relation', 'function', 'type']

function gone(entry: CatalogEntry, { before, after }: Context): Loss[] {
  const { kind, parent } = entry
  const what = KINDS[kind]?.gone === undefined ? 'dropped' : KINDS[kind].gone
  if (what === null || field(entry, 'relkind') === 'c') return []
  // With its table, schema or type it is gone without being mentioned.
  const isGoneWith = parent !== null && before.has(parent) && !after.has(parent)
  if (isGoneWith && !OUTLIVES.includes(kind)) return []
  if (kind === 'index' && isRebuilt(entry, after)) return []
  if (kind === 'constraint' && isRenamed(entry, before, after)) {
    return [lossOf('renamed', titleOf(entry))]
  }
  return [{ ...lossOf(what, titleOf(entry)), ...rowsOf(entry, before) }]
}

/** Where the rows of a table, or the values of a column, were. */
function rowsOf(entry: CatalogEntry, before: Catalog): { of?: Counted } {
  if (!['r', 'p', 'm'].includes(String(field(entry, 'relkind')))) return {}
  if (entry.kind === 'relation') return { of: { relation: entry.name, column: null } }
  const relation = before.get(entry.parent ?? '')?.name
  const column = `"${String(field(entry, 'attname')).replaceAll('"', '""')}"`
  return relation === undefined || entry.kind !== 'column' ? {} : { of: { relation, column } }
}

/** A change of type makes the indexes of the column again, under their names. */
const isRebuilt = (entry: CatalogEntry, after: Catalog): boolean =>
  [...after.values()].some(
    ({ kind, name, parent }) => kind === 'index' && name === entry.name && parent === entry.parent,
  )

/** Constraints are known by their names, because a change of type makes them again. */
const isRenamed = (entry: CatalogEntry, before: Catalog, after: Catalog): boolean =>
  [...after].some(
    ([key, { kind, state, parent }]) =>
      kind === 'constraint' && parent === entry.parent && state === entry.state && !before.has(key),
  )

/** Fields of `pg_class` and others whose change has a name of its own. */
const CHANGES: Readonly<Record<string, string>> = {
  relname: 'renamed',
  attname: 'renamed',
  typname: 'renamed',
  name: 'renamed',
  relnamespace: 'moved to another schema',
  typnamespace: 'moved to another schema',
  namespace: 'moved to another schema',
  relowner: 'given to another owner',
  typowner: 'given to another owner',
  owner: 'given to another owner',
  relrowsecurity: 'opened or closed by row security',
  relforcerowsecurity: 'opened or closed by row security',
  atttypid: 'changed to another type',
  atttypmod: 'changed to another type',
  reloptions: 'given other options',
  is_grantable: 'changed in who may pass it on',
}

/** Each way in which it is another one now. */
function changed(entry: CatalogEntry, now: CatalogEntry): Loss[] {
  const fields = changedFields(entry, now).filter((name) => !isHarmless(name, entry, now))
  const other = KINDS[entry.kind]?.isDefinition ? 'replaced' : 'changed'
  const whats = fields.map((name) => CHANGES[name] ?? other)
  return [...new Set(whats)].map((what) => lossOf(what, titleOf(entry)))
}

/** What loses and opens nothing, or is told of by something else. */
function isHarmless(name: string, entry: CatalogEntry, now: CatalogEntry): boolean {
  const isView = field(now, 'relkind') === 'v'
  switch (entry.kind) {
    case 'relation':
      // The size tells what became of the rows; storage parameters of tables keep them as they are.
      return name === 'relfilenode' || (name === 'reloptions' && !isView)
    case 'column':
      // A view is told of by its rule, a domain that got its check later by that check.
      return isView || name === 'runs_code' || (name === 'attnotnull' && field(now, name) === true)
    case 'index':
      // It has the name of its constraint, which is told of by itself.
      return field(entry, 'of_constraint') !== field(now, 'of_constraint')
    case 'right':
      return name !== 'is_grantable'
    default:
      return false
  }
}

function changedFields(entry: CatalogEntry, now: CatalogEntry): string[] {
  const [old, fresh]: unknown[] = [JSON.parse(entry.state), JSON.parse(now.state)]
  const names = new Set([...Object.keys(Object(old)), ...Object.keys(Object(fresh))])
  const differs = (name: string): boolean =>
    JSON.stringify(Reflect.get(Object(old), name)) !==
    JSON.stringify(Reflect.get(Object(fresh), name))
  return [...names].filter(differs)
}

const valuesOf = (catalog: Catalog, kind: string, name: string): Set<unknown> =>
  new Set(
    [...catalog.values()].flatMap((entry) =>
      entry.kind === kind ? [field(entry, name)].filter((value) => value !== null) : [],
    ),
  )

/** Of new things only what everybody gets; functions and types are everybody's by default. */
const opensRight = (entry: CatalogEntry, isOnOld: boolean): boolean =>
  isOnOld
    ? field(entry, 'opens') === true
    : entry.parent === 'database'
      ? field(entry, 'opens') === true
      : field(entry, 'to_all') === true && !['f', 'T'].includes(String(field(entry, 'letter')))

/** An unqualified call may reach it instead of the one that was meant. */
function capturesCalls(entry: CatalogEntry, { before, after, functions }: Context): boolean {
  if (field(entry, 'is_code') !== true) return false
  const isKnown = field(entry, 'shadows') === true || functions.has(field(entry, 'name'))
  if (!isKnown) return false
  const types = String(field(entry, 'arguments')).split(' ').filter(Boolean)
  return types.length === 0 || types.every((oid) => isOldType(oid, before, after))
}

/** About types that were there before, all of them; what an extension brings was written by nobody here. */
function concernsOld(entry: CatalogEntry, { before, after }: Context): boolean {
  const types = field(entry, 'types')
  if (field(entry, 'is_packaged') === true || !Array.isArray(types)) return false
  return types.every((oid) => isOldType(String(oid), before, after))
}

/** Types of tables are not listed by themselves: unknown ones count as old. */
const isOldType = (oid: string, before: Catalog, after: Catalog): boolean =>
  before.has(`type:${oid}`) || !after.has(`type:${oid}`)
