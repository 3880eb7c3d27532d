import { z } from 'zod'

/**
 * JSON Schema as clients see it, in as few words as say the same: every byte of it is in the context of
 * a model. The pattern zod writes for a date-time is a page of regular expression that `format` already
 * says; an answer is not the place to forbid further fields; a choice of bare types is a list of them.
 */
export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema }) => {
      if (jsonSchema.format) delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (io === 'output' && jsonSchema.additionalProperties === false) {
        delete jsonSchema.additionalProperties
      }
      mergeBareTypes(jsonSchema)
    },
  })
  return json
}

function mergeBareTypes(schema: z.core.JSONSchema.BaseSchema): void {
  const types = schema.anyOf?.map(bareType)
  if (!types?.every((type) => type !== null)) return
  delete schema.anyOf
  // JSON Schema allows a list here (2020-12, 7.6.1); zod's type of it does not say so.
  Object.assign(schema, { type: [...new Set(types)] })
}

/** The type of a schema that says nothing but its type. */
function bareType(schema: z.core.JSONSchema._JSONSchema): string | null {
  if (typeof schema !== 'object') return null
  const { type, ...rest } = schema
  return typeof type === 'string' && Object.keys(rest).length === 0 ? type : null
}
