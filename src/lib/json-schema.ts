import { z } from 'zod'

type Schema = z.core.JSONSchema.BaseSchema

/**
 * JSON Schema as clients see it, in as few words as say the same: every byte of it is in the context of
 * a model. The pattern zod writes for a date-time is a page of regular expression that `format` already
 * says; keys of JSON objects are strings anyway; an answer is not the place to forbid further fields or
 * changes; a choice of bare types, or of something and null, is one schema.
 */
export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => {
      if (jsonSchema.format) delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (io === 'output') {
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
        delete jsonSchema.readOnly
      }
      delete jsonSchema.propertyNames
      if (isEmpty(jsonSchema.additionalProperties)) delete jsonSchema.additionalProperties
      if (isEmpty(jsonSchema.properties)) delete jsonSchema.properties
      if (io === 'input') return toOneType(jsonSchema)
      if (jsonSchema.enum || jsonSchema.const !== undefined) delete jsonSchema.type
      mergeBareTypes(jsonSchema)
      mergeNull(jsonSchema)
    },
  })
  return json
}

/**
 * The schema of arguments as a list of tools shows it: without limits of length and number, which an error
 * names to who meets them. The reference has all of it.
 */
export const toArgumentOutline = (schema: z.ZodType): Record<string, unknown> =>
  argumentOutline(toJsonSchema(schema, 'input'))

function argumentOutline(schema: Schema): Record<string, unknown> {
  const { maxLength: _length, minItems: _min, maxItems: _max, properties, items, ...rest } = schema
  return {
    ...rest,
    ...(properties && { properties: mapValues(properties, inner) }),
    ...(items && { items: inner(Object(items)) }),
  }
}

/** What is inside an argument; only the whole says that nothing else is taken. */
function inner(schema: Schema): Record<string, unknown> {
  const { additionalProperties, ...outline } = argumentOutline(schema)
  return additionalProperties ? { ...outline, additionalProperties } : outline
}

/**
 * The schema of an answer as a list of tools shows it: which fields there are. Their types, what they mean
 * and what lies inside them is in the reference; what is sent is checked against all of it.
 */
export function toAnswerOutline(schema: z.ZodType) {
  const { properties } = toJsonSchema(schema, 'output')
  return { type: 'object' as const, properties: mapValues(Object(properties), constantOnly) }
}

/** What a field always is tells one kind of answer from another. */
const constantOnly = ({ const: value }: Schema) => (value === undefined ? {} : { const: value })

const mapValues = (
  fields: Readonly<Record<string, unknown>>,
  change: (field: Schema) => unknown,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, change(Object(field))]))

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

/**
 * Some hosts refuse arguments, or the whole list of tools, for a list of types or a choice without one.
 * What is accepted beside the type that is shown (numbers for exact decimals, null for nothing) is not
 * shown.
 */
function toOneType(schema: Schema): void {
  const choices = schema.anyOf?.filter((choice) => bareType(choice) !== 'null')
  const types = choices?.map(bareType)
  if (types?.includes('string') && types.every((type) => type !== null)) {
    delete schema.anyOf
    schema.type = 'string'
  } else if (choices?.length === 1 && typeof choices[0] === 'object') {
    delete schema.anyOf
    Object.assign(schema, { ...choices[0], ...schema })
  } else if (choices) schema.anyOf = choices
  const value = schema.const ?? schema.enum?.find((one) => one !== null)
  if (value !== undefined && schema.type === undefined) {
    Object.assign(schema, { type: typeof value })
  }
}

function mergeBareTypes(schema: Schema): void {
  const types = schema.anyOf?.map(bareType)
  if (!types?.every((type) => type !== null)) return
  delete schema.anyOf
  // JSON Schema allows a list here (2020-12, 7.6.1); zod's type of it does not say so.
  Object.assign(schema, { type: [...new Set(types)] })
}

/** Something or null: null joins the types, or the values, of the something. */
function mergeNull(schema: Schema): void {
  const [something, nothing, ...others] = schema.anyOf ?? []
  if (others.length > 0 || !nothing || bareType(nothing) !== 'null') return
  if (typeof something !== 'object' || something.anyOf) return
  const values = something.enum
  if (!values && typeof something.type !== 'string') return
  delete schema.anyOf
  const merged = values ? { enum: [...values, null] } : { type: [something.type, 'null'] }
  Object.assign(schema, { ...something, ...schema, ...merged })
}

/** The type of a schema that says nothing but its type. */
function bareType(schema: z.core.JSONSchema._JSONSchema): string | null {
  if (typeof schema !== 'object') return null
  const { type, ...rest } = schema
  return typeof type === 'string' && Object.keys(rest).length === 0 ? type : null
}
