import type { z } from 'zod'
import { AppError } from '../errors.js'
import type { BoundResource } from './define.js'
import { describeIssues } from './schemas.js'

/** The scheme of every resource; the specification's paths follow it unchanged. */
export const SCHEME = 'catalyst://'

/** A resource with the parameters a URI gave it. */
export interface ResourceMatch {
  readonly resource: BoundResource
  readonly input: unknown
}

interface Route {
  readonly resource: BoundResource
  readonly pattern: RegExp
  /** Made once: making a schema costs more than checking with it. */
  readonly parameters: z.ZodObject
}

/**
 * Finds the resource of a URI. The SDK's own template matching wants every query parameter, in the
 * declared order, and hands values over undecoded; here they are optional, in any order, decoded.
 */
export class ResourceRouter {
  readonly #routes: readonly Route[]

  constructor(resources: readonly BoundResource[]) {
    // Literal paths first: `db/sessions/active` is not a session id.
    this.#routes = [...resources]
      .sort((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')))
      .map((resource) => ({
        resource,
        pattern: patternOf(resource.path),
        parameters: resource.input.strict(),
      }))
  }

  /**
   * Accepts `catalyst://db/status` and the bare `db/status`.
   *
   * @throws AppError `not_found` for an unknown path, `invalid_input` for a bad parameter
   */
  match(uri: string): ResourceMatch {
    const [path = '', query = ''] = splitOnce(uri.replace(/^catalyst:\/\//i, ''), '?')
    for (const route of this.#routes) {
      const found = route.pattern.exec(path)
      if (!found) continue
      return { resource: route.resource, input: parseInput(route, found.groups ?? {}, query) }
    }
    throw notServed(path, this.#routes)
  }
}

const NEAREST = 4

function notServed(path: string, routes: readonly Route[]): AppError {
  const words = wordsOf(path)
  const nearest = routes
    .map(({ resource }) => ({ path: resource.path, likeness: likeness(words, resource.path) }))
    .filter((route) => route.likeness > 0)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, NEAREST)
  const named = nearest.length > 0 ? `Nearest: ${nearest.map((one) => one.path).join(', ')}. ` : ''
  const hint = `${named}read_resource with uri "help" names every path with its filters.`
  return new AppError('not_found', 'There is no resource at this URI.', { hint })
}

const wordsOf = (path: string): string[] => path.toLowerCase().match(/[a-z0-9]+/g) ?? []

/** How many words of a path begin like one that was asked for; the whole word counts double. */
const likeness = (asked: readonly string[], path: string): number =>
  wordsOf(path).reduce((sum, word) => {
    if (asked.includes(word)) return sum + 2
    const stem = word.slice(0, Math.max(3, word.length - 2))
    return sum + Number(asked.some((other) => other.startsWith(stem) || word.startsWith(other)))
  }, 0)

/** The parameters of a resource that stand in the query, in declared order. */
export const queryParameters = (resource: BoundResource): string[] =>
  Object.keys(resource.input.shape).filter((name) => !resource.path.includes(`{${name}}`))

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`)

function parseInput(
  { resource, parameters }: Route,
  pathParameters: Readonly<Record<string, string>>,
  query: string,
): unknown {
  const values = new Map<string, unknown>()
  for (const [name, value] of new URLSearchParams(query)) values.set(name, withPlus(value))
  for (const [name, value] of Object.entries(pathParameters)) values.set(name, decode(value))
  const parsed = parameters.safeParse(Object.fromEntries(values))
  if (parsed.success) return parsed.data
  const allowed = Object.keys(resource.input.shape)
  throw new AppError(
    'invalid_input',
    `${resource.path}: ${describeIssues(parsed.error, 'parameters')}`,
    {
      hint:
        allowed.length > 0
          ? `Allowed parameters: ${allowed.join(', ')}.`
          : 'This resource takes no parameters.',
    },
  )
}

/** Forms write a space as a plus, so an instant's own plus comes as a space; none has another. */
const withPlus = (value: string): string =>
  /^\d{4,}-\d\d-\d\dT[\d:.]+ \d\d:?\d\d$/.test(value) ? value.replace(' ', '+') : value

function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw new AppError('invalid_input', 'The URI is not percent-encoded correctly.')
  }
}

function splitOnce(value: string, separator: string): [string, string] {
  const at = value.indexOf(separator)
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)]
}
