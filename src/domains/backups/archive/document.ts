import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { z } from 'zod'
import { AppError } from '../../../errors.js'
import { canonicalJson } from '../../../lib/canonical-json.js'
import { ObjectDamaged } from '../../../platform/objects/pipeline.js'
import type { ObjectStore } from '../../../platform/objects/store.js'

/** One that says of itself which format it has and what it sums to. */
interface Signed {
  readonly format: string
  readonly self_sha256: string
}

type Schema<D extends Signed> = z.ZodType<D>

/** No document of ours comes near it; what claims to be one must not fill the memory. */
const LONGEST_BYTES = 256 * 1024 * 1024

const sumOf = (fields: Readonly<Record<string, unknown>>): string => {
  const { self_sha256: _, ...rest } = fields
  return createHash('sha256').update(canonicalJson(rest)).digest('hex')
}

/** The one way to write it, so that not even a space of it can be changed unseen. */
const spelling = (fields: unknown): string => `${JSON.stringify(fields, null, 1)}\n`

/** Writes a document with its sum. */
export async function writeDocument<D extends Signed>(
  objects: ObjectStore,
  key: string,
  { schema, fields }: { readonly schema: Schema<D>; readonly fields: Omit<D, 'self_sha256'> },
): Promise<void> {
  // The sum is put in once everything else is spelled as it will be read.
  const text = z.encode(schema, { ...fields, self_sha256: '0'.repeat(64) } as D) as object
  const spelled = JSON.parse(JSON.stringify(text))
  const signed = { ...spelled, self_sha256: sumOf(spelled) }
  await objects.put(key, Buffer.from(spelling(signed)))
}

/**
 * Reads a document and compares it with its own sum.
 *
 * @throws ObjectMissing, ObjectDamaged, AppError `not_supported` for a format of a later version
 */
export async function readDocument<D extends Signed>(
  objects: ObjectStore,
  key: string,
  schema: Schema<D>,
): Promise<D> {
  const info = await objects.head(key)
  if (info && info.bytes > LONGEST_BYTES) throw new ObjectDamaged(key, 'it is far too long')
  return parseDocument(key, await buffer(await objects.get(key)), schema)
}

/** The same of bytes that were read already. */
function parseDocument<D extends Signed>(key: string, content: Buffer, schema: Schema<D>): D {
  let fields: unknown
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content)
    fields = JSON.parse(text)
  } catch (error) {
    throw new ObjectDamaged(key, 'it is not JSON', error)
  }
  const signed = z.looseObject({ format: z.string(), self_sha256: z.string() }).safeParse(fields)
  if (!signed.success) throw new ObjectDamaged(key, 'it has no format and sum')
  if (sumOf(signed.data) !== signed.data.self_sha256 || spelling(fields) !== text) {
    throw new ObjectDamaged(key, 'it was changed since it was written')
  }
  const parsed = schema.safeParse(fields)
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  if (first?.path[0] === 'format') {
    throw new AppError(
      'not_supported',
      `${key} has the format ${JSON.stringify(signed.data.format)}.`,
      {
        hint: 'It was written by another version of this program: read it with that one.',
      },
    )
  }
  throw new ObjectDamaged(key, `its ${first?.path.join('.') ?? 'form'} is not valid`, parsed.error)
}
