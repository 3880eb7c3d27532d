import { DirectoryStore } from './directory.js'
import type { S3Access } from './s3.js'
import type { ObjectStore } from './store.js'

/** What the settings say of the object store. */
export interface StoreSettings {
  /** `file:///directory` or `s3://bucket/prefix`. */
  readonly location: string
  readonly s3: S3Access
}

/** The store that the settings name; it is not looked at before it is used. */
export async function openStore({ location, s3 }: StoreSettings): Promise<ObjectStore> {
  if (location.startsWith('file:')) return new DirectoryStore(location)
  // Loaded only where it is used: it is a good part of a start.
  const { S3Store } = await import('./s3.js')
  return new S3Store(location, s3)
}
