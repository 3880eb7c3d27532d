import type { EventType } from '../../events.js'
import { machinerySql as sql } from '../../platform/postgres/sql.js'

/** Whether a condition holds. */
export const readCondition = (condition: EventType) => sql<{ is_on: boolean }>`
  select is_on
  from catalyst.conditions
  where condition = ${condition}::text`

/** Lets a condition begin; no row is changed when it holds already. */
export const begin = (condition: EventType) => sql`
  update catalyst.conditions
  set is_on = true, since = clock_timestamp()
  where condition = ${condition}::text
    and not is_on`

/** Lets a condition end that has held for so long; what was seen before it began says nothing. */
export const end = (condition: EventType, afterMs: number) => sql`
  update catalyst.conditions
  set is_on = false, since = clock_timestamp()
  where condition = ${condition}::text
    and is_on
    and since < clock_timestamp() - make_interval(secs => ${afterMs}::float8 / 1000)`
