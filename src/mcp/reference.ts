import { settingDocs } from '../config.js'
import { EVENTS } from '../events.js'
import { policyDocs } from '../policy.js'
import { type BoundResource, type BoundTool, type Effect, grantOf } from './define.js'
import type { Registry, ToolListing } from './registry.js'
import { queryParameters, SCHEME } from './resources.js'
import { type FieldDoc, fieldsOf } from './schema-fields.js'

/** Reference documentation in Markdown, by the name of the part. */
export type Reference = Readonly<
  Record<'tools' | 'resources' | 'prompts' | 'events' | 'settings', string> & {
    policy?: string
    rules?: string
  }
>

/** A rule that migrations are judged by. */
interface RuleDoc {
  readonly name: string
  readonly severity: string
  readonly what: string
  readonly safeWay: string | null
}

const EFFECTS: Readonly<Record<Effect, string>> = {
  read: 'changes nothing',
  write: 'adds or changes',
  destroy: 'can lose something',
}

/** One line for each thing that is served, for the README. */
export const overview = (registry: Registry): Reference => ({
  tools: table(
    ['tool', 'what it does', 'effect'],
    toolsOf(registry).map(({ name, description, effect }) => [
      code(name),
      firstSentence(description),
      EFFECTS[effect],
    ]),
  ),
  resources: table(
    ['resource', 'what it tells', 'parameters'],
    resourcesOf(registry).map((resource) => [
      code(SCHEME + resource.path),
      firstSentence(resource.description),
      queryParameters(resource).map(code).join(', '),
    ]),
  ),
  prompts: promptTable(registry),
  events: table(
    ['event', 'what it reports', 'severity'],
    Object.entries(EVENTS).map(([name, { doc, severity }]) => [code(name), doc, severity]),
  ),
  settings: settingsTable(),
})

/** Everything a client can rely on: arguments, answers, parameters, payloads. */
export const reference = (registry: Registry, rules: readonly RuleDoc[]): Reference => ({
  tools: toolsOf(registry)
    .map((tool) => describeTool(tool, hintsOf(tool, registry.toolList)))
    .join('\n\n'),
  resources: resourcesOf(registry).map(describeResource).join('\n\n'),
  prompts: promptTable(registry),
  events: Object.entries(EVENTS)
    .map(([name, { doc, severity, data }]) =>
      section(name, [
        `${doc} Severity: ${severity}.`,
        fieldTable('data', fieldsOf(data, 'output')),
      ]),
    )
    .join('\n\n'),
  settings: settingsTable(),
  policy: policyTable(),
  rules: table(
    ['rule', 'finding', 'what it says', 'the safe way'],
    rules.map(({ name, severity, what, safeWay }) => [code(name), severity, what, safeWay ?? '']),
  ),
})

/** By domain and name: an order of its own, whatever the order of registration. */
const toolsOf = ({ tools }: Registry): BoundTool[] =>
  [...tools.values()].sort((a, b) => compare(a.domain, b.domain) || compare(a.name, b.name))

const resourcesOf = ({ resources }: Registry): BoundResource[] =>
  [...resources].sort((a, b) => compare(a.domain, b.domain) || compare(a.path, b.path))

const compare = (a: string, b: string): number => Number(a > b) - Number(a < b)

const describeTool = (tool: BoundTool, hints: string): string =>
  section(tool.name, [
    tool.description,
    `Effect: ${EFFECTS[tool.effect]}. Scope: ${code(grantOf(tool))}. Hints: ${hints}.${tool.persists ? ' One transaction.' : ''}`,
    fieldTable('argument', fieldsOf(tool.input, 'input')),
    fieldTable('answer', fieldsOf(tool.output, 'output')),
  ])

function hintsOf({ name }: BoundTool, toolList: readonly ToolListing[]): string {
  const { title: _, ...hints } = toolList.find((listed) => listed.name === name)?.annotations ?? {}
  return Object.entries(hints)
    .map(([hint, value]) => `${code(hint)} ${value}`)
    .join(', ')
}

const describeResource = (resource: BoundResource): string =>
  section(SCHEME + resource.path, [
    resource.description,
    ...(resource.refreshedBy ? [`Updated by: ${resource.refreshedBy.map(code).join(', ')}.`] : []),
    fieldTable('parameter', fieldsOf(resource.input, 'input')),
    fieldTable('answer', fieldsOf(resource.output, 'output')),
  ])

const promptTable = ({ promptList }: Registry): string =>
  table(
    ['prompt', 'what for', 'arguments'],
    [...promptList]
      .sort((a, b) => compare(a.name, b.name))
      .map(({ name, description, arguments: given }) => [
        code(name),
        description,
        given.map((argument) => code(argument.name)).join(', '),
      ]),
  )

/** A default that differs from machine to machine is told by the setting's own text. */
function settingsTable(): string {
  const rows = settingDocs().map(({ name, meaning, default: value }) => [
    code(name),
    meaning,
    value === null ? '' : code(value),
  ])
  return table(['setting', 'meaning', 'default'], rows)
}

const policyTable = (): string =>
  table(
    ['entry', 'meaning', 'default'],
    policyDocs().map((entry) => [code(entry.name), entry.meaning, code(entry.default)]),
  )

const section = (name: string, parts: readonly string[]): string =>
  [`### ${code(name)}`, ...parts.filter((part) => part !== '')].join('\n\n')

/** Required and optional are told apart for what a client sends; an answer has what it has. */
function fieldTable(kind: string, fields: readonly FieldDoc[]): string {
  if (fields.length === 0) return ''
  const isSent = kind === 'argument' || kind === 'parameter'
  return table(
    [kind, 'type', ...(isSent ? ['needed'] : []), 'meaning'],
    fields.map(({ name, type, meaning, ...field }) => [
      code(name),
      type,
      ...(isSent ? [needed(field)] : []),
      meaning,
    ]),
  )
}

function needed(field: Pick<FieldDoc, 'required' | 'default'>): string {
  if (field.default !== null) return `default ${code(field.default)}`
  return field.required ? 'yes' : 'no'
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const firstSentence = (text: string): string =>
  /^.+?[.:](?= |$)/.exec(text)?.[0].replace(/:$/, '.') ?? text

const code = (text: string): string => `\`${text}\``
