import { AppError } from '../../errors.js'
import { openStore, type StoreSettings } from '../../platform/objects/open.js'

const CHECK = 'Object store'

/** Whether the store of backups can be used, and what mends it; writes nothing there. */
export async function lookAtStore(settings: StoreSettings) {
  const objects = await openStore(settings)
  try {
    await objects.check()
    return { check: CHECK, status: 'ok' as const, detail: objects.location, fix: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const fix = error.fix ?? 'Look after the store, or name another in CATALYST_OBJECT_STORE.'
    return { check: CHECK, status: 'problem' as const, detail: error.message, fix }
  } finally {
    objects.close()
  }
}
