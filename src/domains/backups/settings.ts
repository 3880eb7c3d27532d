import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../../config.js'
import { AppError } from '../../errors.js'
import type { StoreSettings } from '../../platform/objects/open.js'

/** Where backups are kept, as the settings say. */
export function storeSettings(config: Config): StoreSettings {
  const key = config.AWS_ACCESS_KEY_ID ?? config.SPACES_KEY
  const secret = (config.AWS_SECRET_ACCESS_KEY ?? config.SPACES_SECRET)?.reveal()
  return {
    location:
      config.CATALYST_OBJECT_STORE ??
      pathToFileURL(join(resolve(config.CATALYST_DATA_DIR), 'backups')).href,
    s3: {
      endpoint: config.AWS_ENDPOINT_URL_S3 ?? null,
      region: config.AWS_REGION ?? null,
      credentials: key && secret ? { accessKeyId: key, secretAccessKey: secret } : null,
    },
  }
}

/**
 * The identities in a file as the age command writes it; none without a file.
 *
 * @throws AppError `precondition_failed` when it cannot be read
 */
export async function readIdentities(file: string | null): Promise<string[]> {
  if (file === null) return []
  try {
    const lines = (await readFile(file, 'utf8')).split(/\r?\n/).map((line) => line.trim())
    return lines.filter((line) => line !== '' && !line.startsWith('#'))
  } catch (error) {
    throw new AppError('precondition_failed', 'The file of the age identity cannot be read.', {
      hint: 'Correct CATALYST_BACKUP_IDENTITY_FILE.',
      cause: error,
    })
  }
}
