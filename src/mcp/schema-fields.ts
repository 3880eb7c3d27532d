import type { z } from 'zod'
import { toJsonSchema } from './schemas.js'

/** One field of a schema, for people to read; fields of nested objects have dotted names. */
export interface FieldDoc {
  readonly name: string
  readonly type: string
  readonly required: boolean
  /** The default as JSON, or null when there is none. */
  readonly default: string | null
  readonly meaning: string
}

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

/** The fields of an object schema in declared order, each followed by its own. */
export const fieldsOf = (schema: z.ZodType, io: 'input' | 'output'): FieldDoc[] =>
  fields(toJsonSchema(schema, io), '')

function fields(schema: JsonSchema, prefix: string): FieldDoc[] {
  const required = new Set(schema.required)
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const name = prefix + key
    return [
      {
        name,
        type: typeOf(field),
        required: required.has(key),
        default: field.default === undefined ? null : JSON.stringify(field.default),
        meaning: field.description ?? '',
      },
      ...variants(field).flatMap((variant) => nested(variant, name)),
    ]
  })
}

const nested = (field: JsonSchema, name: string): FieldDoc[] =>
  field.items
    ? variants(field.items).flatMap((item) => nested(item, `${name}[]`))
    : fields(field, `${name}.`)

const variants = (field: JsonSchema): readonly JsonSchema[] => field.anyOf ?? field.oneOf ?? [field]

function typeOf(field: JsonSchema): string {
  if (field.anyOf || field.oneOf) return [...new Set(variants(field).map(typeOf))].join(' or ')
  if (field.const !== undefined) return JSON.stringify(field.const)
  if (field.enum) return `one of ${field.enum.map((value) => JSON.stringify(value)).join(', ')}`
  if (field.items) {
    return `list of ${typeOf(field.items)}${range(field.minItems, field.maxItems, ' items')}`
  }
  if (typeof field.additionalProperties === 'object' && !field.properties) {
    return `map to ${typeOf(field.additionalProperties)}`
  }
  if (field.format === 'date-time') return 'timestamp'
  const name = [field.type ?? 'anything'].flat().join(' or ')
  return `${name}${range(undefined, field.maxLength, ' characters')}${range(field.minimum, field.maximum)}`
}

function range(least: number | undefined, most: number | undefined, unit = ''): string {
  if (least === undefined && most === undefined) return ''
  if (most === undefined) return `, at least ${least}${unit}`
  return least === undefined ? `, at most ${most}${unit}` : `, ${least} to ${most}${unit}`
}
