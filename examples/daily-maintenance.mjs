// The specification's daily_maintenance_check: look, mend what needs it, take a backup if one is overdue, learn what
// is pending, report.
//   node examples/daily-maintenance.mjs http://127.0.0.1:8642/mcp
import { MCPSession, ToolError } from 'catalyst-db/client'

const [url = 'http://127.0.0.1:8642/mcp'] = process.argv.slice(2)
const DAY_MS = 24 * 60 * 60 * 1_000

/** An answer, or why there is none: what cannot be read is no reason to stop looking after the rest. */
async function tried(what, work) {
  try {
    return await work()
  } catch (error) {
    console.log(`${what}: ${error instanceof ToolError ? error.message : String(error)}`)
    return null
  }
}

const needsOptimization = (health, slow, tables) =>
  health.status !== 'healthy' ||
  (slow?.queries ?? []).length > 0 ||
  (tables?.tables ?? []).some(({ rows, dead_rows }) => dead_rows > 10_000 && dead_rows > rows / 10)

const isOverdue = ({ latest_full, latest_incremental }) =>
  ![latest_full, latest_incremental].some(
    (backup) => backup && Date.now() - Date.parse(backup.timestamp) < DAY_MS,
  )

const session = await MCPSession.open('daily-maintenance', { url })
try {
  const health = await session.resource('db/status')
  const slow = await tried('slow queries', () => session.resource('db/performance/slow-queries'))
  const tables = await tried('tables', () => session.resource('db/performance/tables'))
  const backups = await tried('backups', () => session.resource('db/backups/latest'))
  const done = []

  if (needsOptimization(health, slow, tables)) {
    const operations = ['vacuum', 'analyze']
    const optimized = await tried('optimize', () => session.tool('optimize_tables', { operations }))
    if (optimized) done.push(`optimised ${optimized.tables_optimized} tables`)
  }
  if (backups && isOverdue(backups)) {
    const backup = await tried('backup', () =>
      session.tool('create_backup', { type: 'incremental' }),
    )
    if (backup) done.push(`took the backup ${backup.backup_id}`)
  }
  const sync = await session.resource('db/sync/status')
  if (sync.has_pending) {
    const learned = await session.tool('sync_catalyst_outcomes')
    done.push(`learned from ${learned.trades_processed} closed positions`)
  }

  const { verdict, summary } = await session.tool('run_maintenance', { dry_run: true })
  console.log(summary)
  console.log(`verdict: ${verdict}`)
  console.log(`done: ${done.length > 0 ? done.join('; ') : 'nothing'}`)
} finally {
  await session.close()
}
