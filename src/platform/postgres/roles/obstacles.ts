import { AppError } from '../../../errors.js'
import type { Endpoint } from '../connection.js'
import { troubleOf } from '../connection-trouble.js'
import type { Power } from './powers.sql.js'
import type { RoleFacts } from './roles.sql.js'

const BY_HAND = '"catalyst-db migrate up" runs migrations by the operator\'s own hand.'

/** Why scripts of clients cannot run, and what to do; for a client and for the doctor. */
export interface Obstacle {
  readonly cause: string
  readonly fix: string
}

/** With a superuser, code that a script leaves on a table would run as one. */
export const superuser = ({ role, database }: RoleFacts): Obstacle => ({
  cause: `the role of DATABASE_URL (${role}) is a superuser, and code that a migration leaves on a table would run as one`,
  fix: `Give catalyst-db a role of its own and name it in DATABASE_URL:
create role catalyst_owner login createrole password '<password>';
alter database ${database} owner to catalyst_owner;
What is in the schema catalyst already is handed to it as docs/operating.md says under "Away from a superuser".`,
})

/** The lines that are missing, for whoever may run them. */
export function unprepared(
  migrator: string,
  { label }: Pick<Endpoint, 'label'>,
  { role, missing, exists, password_line }: RoleFacts,
): Obstacle {
  const lines = missing.map(({ line, is_needed }) =>
    is_needed && !exists ? line.replace(/ login;$/, " login password '<password>';") : line,
  )
  if (exists) lines.unshift(password_line)
  return {
    cause: `role ${role} may not prepare the role ${migrator}, which they run as`,
    fix: `Let a superuser, or who may create roles and owns the database, run:
${lines.join('\n')}
Then set CATALYST_MIGRATOR_URL=postgresql://${encodeURIComponent(migrator)}:<password>@${label}`,
  }
}

/** What somebody has granted to the role, and must not have. */
export const tooMighty = (role: string, powers: readonly Power[]): Obstacle => ({
  cause: `role ${role} could do more than a script may: ${powers.map(({ power }) => power).join('; ')}`,
  fix: `Let a superuser run:\n${powers.map(({ mend }) => mend).join('\n')}`,
})

/** CATALYST_MIGRATOR_URL is not what DATABASE_URL is. */
export const OTHER_DATABASE: Obstacle = {
  cause: 'CATALYST_MIGRATOR_URL leads to another database than DATABASE_URL',
  fix: 'Name the same server and database in both.',
}

/** Refuses to run scripts of clients, for that reason. */
export const refusal = ({ cause, fix }: Obstacle, from?: unknown): AppError =>
  new AppError('permission_denied', `Migrations over MCP are refused: ${cause}.`, {
    hint: `${fix}\n${BY_HAND}`,
    ...(from === undefined ? {} : { cause: from }),
  })

/** PostgreSQL does not let the role in. */
export function lockedOut(migrator: string, error: AppError): Obstacle {
  const { cause, fix } = troubleOf(error, 'CATALYST_MIGRATOR_URL')
  return { cause: `${migrator}: ${cause.replace(/\.$/, '')}`, fix }
}
