import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Outdated, SIGHT_LIMIT, type Sight } from '../../src/domains/cache/outdated.js'
import type { Marks } from '../../src/lib/marks.js'

const LOG = '1/1/1'
const SYMBOLS = ['A', 'B', '-'] as const
const TYPES = ['news', 'patterns'] as const

/** One event: what it outdates, if anything. */
interface Told {
  readonly touched: Marks | null
  readonly pattern: string | null
}

const told: fc.Arbitrary<Told> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...TYPES), fc.constantFrom(...SYMBOLS, '*'))
    .map(([type, symbol]) => ({ touched: { [type]: [symbol] }, pattern: null })),
  fc.constantFrom('news:A*', 'news:*', 'pattern:B').map((pattern) => ({ touched: null, pattern })),
  fc.constant({ touched: null, pattern: null }),
)

type Step =
  | { readonly kind: 'commit'; readonly event: Told }
  | { readonly kind: 'publish' | 'deliver' | 'look' | 'build' | 'reconnect' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: told.map((event) => ({ kind: 'commit' as const, event })) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('publish', 'deliver', 'look', 'build', 'reconnect')
      .map((kind) => ({ kind }) as Step),
  },
)

const ENTRIES = [
  { key: 'news:A', type: 'news', symbol: 'A' },
  { key: 'news:B', type: 'news', symbol: 'B' },
  { key: 'pattern:B', type: 'patterns', symbol: 'B' },
  { key: 'pattern:statistics', type: 'patterns', symbol: '-' },
] as const

type EntryKind = (typeof ENTRIES)[number]

const matches = ({ touched, pattern }: Told, { key, type, symbol }: EntryKind): boolean => {
  const symbols = touched?.[type] ?? []
  if (symbols.includes('*') || symbols.includes(symbol)) return true
  return pattern !== null && new RegExp(`^${pattern.replace('*', '.*')}$`).test(key)
}

const dated = ({ key, type, symbol }: EntryKind, seq: number) => ({
  ...{ key, type, seq },
  log_id: LOG,
  tags: [`${type}:${symbol}`],
})

/** The log as PostgreSQL holds it, and one server that follows it. */
class Model {
  readonly log: Told[] = []
  readonly outbox: Told[] = []
  readonly outdated = new Outdated()
  readonly built: { readonly kind: EntryKind; readonly seq: number }[] = []
  #delivered = 0

  run(one: Step): void {
    if (one.kind === 'commit') this.outbox.push(one.event)
    if (one.kind === 'publish') this.log.push(...this.outbox.splice(0))
    if (one.kind === 'deliver') this.#deliver()
    // A listener that comes late hears nothing of what was published before.
    if (one.kind === 'reconnect') this.#delivered = this.log.length
    if (one.kind === 'build') this.#build()
    if (one.kind === 'look') this.#check(this.look())
  }

  look(): Sight {
    const looked_from = this.outdated.position
    const published = this.log
      .map((event, index) => ({ ...event, seq: index + 1 }))
      .filter(({ seq, touched, pattern }) => seq > looked_from && (touched ?? pattern) !== null)
      .slice(-SIGHT_LIMIT - 1)
    const pending = [...this.outbox]
    return this.outdated.learn({
      log_id: LOG,
      head: this.log.length,
      looked_from,
      published,
      pending,
    })
  }

  #deliver(): void {
    const events = this.log.slice(this.#delivered).map((event, index) => ({
      seq: this.#delivered + index + 1,
      type: 'db.transaction',
      at: '',
      severity: 'info' as const,
      data: {
        ...(event.touched ? { touched: event.touched } : {}),
        ...(event.pattern ? { pattern: event.pattern } : {}),
      },
    }))
    this.#delivered = this.log.length
    this.outdated.follow(events)
  }

  #build(): void {
    for (const kind of ENTRIES) this.built.push({ kind, seq: this.log.length })
  }

  #check(sight: Sight): void {
    for (const { kind, seq } of this.built) {
      const later = [...this.log.slice(seq), ...this.outbox]
      const isCurrent = !later.some((event) => matches(event, kind))
      expect(this.outdated.isCurrent(dated(kind, seq), sight), `${kind.key} of ${seq}`).toBe(
        isCurrent,
      )
    }
  }
}

test('an entry is current exactly as long as nothing that it depends on was outdated', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model()
      for (const one of steps) model.run(one)
      model.run({ kind: 'look' })
    }),
    { numRuns: 500 },
  )
})

const A = ENTRIES[0]
const sightOf = (more: Partial<Parameters<Outdated['learn']>[0]>) => ({
  log_id: LOG,
  head: 10,
  looked_from: 0,
  published: [],
  pending: [],
  ...more,
})

test('what was built in another log is distrusted, and so is what lies too far back', () => {
  const outdated = new Outdated()
  const sight = outdated.learn(sightOf({}))
  expect(outdated.isCurrent(dated(A, 5), sight)).toBe(true)
  const other = outdated.learn(sightOf({ log_id: '1/2/1', looked_from: 10 }))
  expect(outdated.isCurrent(dated(A, 10), other)).toBe(false)
  expect(outdated.isCurrent({ ...dated(A, 10), log_id: '1/2/1' }, other)).toBe(true)
  expect(outdated.isCurrent({ ...dated(A, 9), log_id: '1/2/1' }, other)).toBe(false)
})

test('more news than one look brings make everything before it distrusted', () => {
  const outdated = new Outdated()
  const touched = { patterns: ['X'] }
  const published = Array.from({ length: SIGHT_LIMIT + 1 }, (_, index) => ({
    ...{ seq: 100 + index, touched },
    pattern: null,
  }))
  const sight = outdated.learn(sightOf({ head: 2_000, published }))
  expect(outdated.isCurrent(dated(A, 99), sight)).toBe(false)
  expect(outdated.isCurrent(dated(A, 101), sight)).toBe(true)
  const pending = published.map((one) => ({ ...one }))
  const full = outdated.learn(sightOf({ head: 2_000, looked_from: 2_000, pending }))
  expect(outdated.isCurrent(dated(A, 2_000), full)).toBe(false)
})

test('its memory is bounded: more marks than that make everything so far distrusted', () => {
  const outdated = new Outdated()
  for (let batch = 0; batch < 60; batch++) {
    const published = Array.from({ length: 1_000 }, (_, index) => ({
      seq: batch * 1_000 + index + 1,
      touched: { news: [`S${batch}X${index}`] },
      pattern: null,
    }))
    const head = (batch + 1) * 1_000
    outdated.learn(sightOf({ head, looked_from: batch * 1_000, published }))
  }
  const sight = outdated.learn(sightOf({ head: 60_000, looked_from: 60_000 }))
  expect(outdated.isCurrent(dated(A, 40_000), sight)).toBe(false)
  expect(outdated.isCurrent(dated(A, 60_000), sight)).toBe(true)
})
