import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { TestDatabase } from '../support/database.js'

/** A folder of migrations of one's own, which does not exist at first; removed after the file. */
export class OperatorFolder {
  readonly path: string
  readonly env: Readonly<Record<string, string>>

  constructor() {
    const parent = mkdtempSync(join(tmpdir(), 'catalyst-operator-'))
    afterAll(() => rmSync(parent, { recursive: true }))
    this.path = join(parent, 'migrations')
    this.env = { CATALYST_MIGRATIONS_DIR: this.path }
  }

  /** Writes a migration as an operator with an editor does; answers the path of its up file. */
  write(stem: string, up: string, down: string | null = null): string {
    mkdirSync(this.path, { recursive: true })
    if (down !== null) writeFileSync(join(this.path, `${stem}.down.sql`), down)
    const path = join(this.path, `${stem}.up.sql`)
    writeFileSync(path, up)
    return path
  }

  /** Takes an up file away again. */
  remove(stem: string): void {
    rmSync(join(this.path, `${stem}.up.sql`))
  }

  /** The names of all that lies in it. */
  get files(): string[] {
    try {
      return readdirSync(this.path).sort()
    } catch {
      return []
    }
  }
}

/** Whether there is a relation of that name. */
export async function isThere(database: TestDatabase, relation: string): Promise<boolean> {
  const [row] = await database.query<{ yes: boolean }>(
    'select to_regclass($1) is not null as yes',
    [relation],
  )
  return row?.yes === true
}
