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
    throw new AppError('not_found', 'There is no resource at this URI.', {
      hint: 'List the resources and resource templates for what can be read.',
    })
  }
}

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
  const values: Record<string, unknown> = {}
  for (const [name, value] of new URLSearchParams(query)) values[name] = value
  for (const [name, value] of Object.entries(pathParameters)) values[name] = decode(value)
  const parsed = parameters.safeParse(values)
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
