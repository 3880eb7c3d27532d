import { readFileSync } from 'node:fs'
import { parse as parseToml } from 'smol-toml'
import { z } from 'zod'
import { DECLARED } from './declared.js'
import { joined } from './kernel/declare.js'

const SECTIONS = joined(DECLARED, 'policy')

/** Limits and thresholds: one section for each part of the product that has any. A section may be left out. */
const POLICY = z.strictObject(
  Object.fromEntries(
    Object.entries(SECTIONS).map(([name, schema]) => [
      name,
      z.preprocess((value) => value ?? {}, schema),
    ]),
  ),
)

/** The limits and thresholds in force, parsed once. */
export type Policy = { readonly [S in keyof typeof SECTIONS]: z.output<(typeof SECTIONS)[S]> }

/** Documentation of one entry, for the generated tables. */
export interface PolicyDoc {
  readonly name: string
  readonly meaning: string
  readonly default: string
}

/** All entries in the order of the schema, by their names in the file. */
export const policyDocs = (): PolicyDoc[] =>
  Object.entries(SECTIONS).flatMap(([part, { shape }]) => entriesOf(part, shape))

function entriesOf(section: string, shape: Readonly<Record<string, z.ZodType>>): PolicyDoc[] {
  return Object.entries(shape).flatMap(([key, schema]) => {
    const name = `${section}.${key}`
    const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema
    if (inner instanceof z.ZodObject) return entriesOf(name, inner.shape)
    return { name, meaning: schema.description ?? '', default: String(schema.parse(undefined)) }
  })
}

/** What holds where the file says nothing. */
// Its sections are the declared ones, each by its schema.
export const defaultPolicy = (): Policy => POLICY.parse({}) as Policy

/** Reads a policy file, TOML or (named `.json`) JSON; appends to `problems` what is wrong with it. */
export function readPolicy(path: string, problems: string[]): Policy {
  const parsed = POLICY.safeParse(readEntries(path, problems))
  for (const issue of parsed.error?.issues ?? []) {
    problems.push(`CATALYST_POLICY_FILE: ${issue.path.join('.') || 'the file'}: ${issue.message}`)
  }
  return (parsed.data as Policy | undefined) ?? defaultPolicy()
}

function readEntries(path: string, problems: string[]): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    problems.push('CATALYST_POLICY_FILE: the file cannot be read')
    return {}
  }
  try {
    return path.endsWith('.json') ? JSON.parse(text) : parseToml(text)
  } catch {
    problems.push('CATALYST_POLICY_FILE: the file is not valid TOML (or JSON, when named .json)')
    return {}
  }
}
