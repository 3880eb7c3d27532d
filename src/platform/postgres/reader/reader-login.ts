import { AppError } from '../../../errors.js'
import { groupBy } from '../../../lib/group-by.js'
import type { Endpoint } from '../connection.js'
import { DirectSession, type Login } from '../direct.js'
import { sqlState } from '../errors.js'
import { newPassword } from '../roles/password.js'
import {
  createReader,
  grantReading,
  type OwnerFacts,
  ownerFacts,
  READER,
  type ReaderFacts,
  readerFacts,
  withheld,
} from './reader.sql.js'
import { ReaderSession } from './reader-session.js'

/** How the reader is reached. */
export interface ReaderDeps {
  /** The database, as the product's own role. */
  readonly direct: Endpoint
  /** `CATALYST_READER_URL`; null where the product makes the reader and gives it passwords. */
  readonly given: Endpoint | null
  /** The socket of the embedded server, which only this user can open, asks for no password. */
  readonly isTrusted: boolean
}

/** Who reads, once a connection was made. */
export interface Reader {
  readonly role: string
  /** What an operator should know of it; null when it is what it should be. */
  readonly warning: string | null
  /** The product lets it read what its own role owns. */
  readonly isOurs: boolean
}

/** A session with who it is. */
interface Admitted {
  readonly session: ReaderSession
  readonly reader: Reader
}

/** What a connection is to be. */
interface Wanted {
  readonly database: string | null
  readonly isOurs: boolean
  /** Where it must lead; null where it cannot lead elsewhere. */
  readonly place: string | null
}

/** Somebody else may have given the same role another password before this one was used. */
const ATTEMPTS = 5
/** A login that is refused: by pg_hba.conf, for its password, or because there is no such role. */
const REFUSED = /^28/

/**
 * What a client asks runs with a login of its own: not by SET ROLE, which a function could leave. Where
 * there can be none, it is the role of the product, unless that is a superuser.
 */
export class ReaderLogin {
  readonly #deps: ReaderDeps
  /** Once it was found that there can be no login of its own; asked again after a restart. */
  #isImpossible = false

  constructor(deps: ReaderDeps) {
    this.#deps = deps
  }

  /**
   * A new connection of the reader, to another database of the server where one is named.
   *
   * @throws AppError `permission_denied` when there is nobody who may read, `unavailable`
   */
  async connect(database: string | null = null): Promise<Admitted> {
    const { direct, given, isTrusted } = this.#deps
    if (given)
      return this.#admit(given, null, {
        database,
        isOurs: false,
        place: database ? null : await this.#place(),
      })
    if (isTrusted)
      return this.#admit(
        direct,
        { user: READER },
        {
          database,
          isOurs: true,
          place: null,
        },
      )
    if (!this.#isImpossible) {
      const own = await this.#withPassword(database)
      if (own) return own
      this.#isImpossible = true
    }
    return this.#admit(direct, null, {
      database,
      isOurs: false,
      place: null,
    })
  }

  /**
   * Lets the reader read what the product's role owns and it cannot read yet, in another database of the server where
   * one is named; true when that was anything.
   */
  async letRead(database: string | null = null): Promise<boolean> {
    const letRead = async (runner: DirectSession): Promise<boolean> => {
      const tables = await runner.many(withheld())
      const bySchema = groupBy(tables, ({ schema }) => schema)
      for (const [schema, found] of bySchema) {
        const names = found.map(({ name }) => name)
        // One that somebody drops or grants at the same time must not keep the others from it.
        await runner.many(grantReading(schema, names)).catch(async () => {
          for (const name of names) await runner.many(grantReading(schema, [name])).catch(() => {})
        })
      }
      return tables.length > 0
    }
    return DirectSession.use(this.#deps.direct, letRead, database === null ? null : { database })
  }

  /** As the reader, with a password of this moment; null where that cannot be. */
  async #withPassword(database: string | null): Promise<Admitted | null> {
    const { direct } = this.#deps
    return DirectSession.use(direct, async (runner) => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const facts = await prepared(runner)
        if (!facts?.may_set_password) return null
        try {
          const login = await newPassword(runner, READER, facts.soon)
          return await this.#admit(direct, login, {
            database,
            isOurs: true,
            place: null,
          })
        } catch (error) {
          const state = sqlState(error) ?? sqlState(Reflect.get(Object(error), 'cause')) ?? ''
          if (state === '42501') return null
          if (!REFUSED.test(state)) throw error
        }
      }
      return null
    })
  }

  async #admit(
    endpoint: Endpoint,
    login: Login | null,
    { database, isOurs, place }: Wanted,
  ): Promise<Admitted> {
    const session = await ReaderSession.open(endpoint, login, database)
    try {
      const [facts] = await session.many(readerFacts())
      if (!facts) throw new Error('the server does not know who reads')
      if (facts.is_superuser) throw shut(facts.role)
      if (place !== null && facts.place !== place) throw elsewhere()
      return { session, reader: { role: facts.role, warning: warningOf(facts), isOurs } }
    } catch (error) {
      session.end()
      throw error
    }
  }

  async #place(): Promise<string | null> {
    return DirectSession.use(this.#deps.direct, async (runner) => {
      const [facts] = await runner.many(ownerFacts())
      return facts?.place ?? null
    })
  }
}

/** Makes the reader where it is missing and may be made. */
async function prepared(runner: DirectSession): Promise<OwnerFacts | undefined> {
  const [facts] = await runner.many(ownerFacts())
  if (!facts || facts.reader_exists || !facts.may_create) return facts
  // Another server may have made it at the same time.
  await runner.many(createReader()).catch(() => {})
  return (await runner.many(ownerFacts()))[0]
}

const warningOf = ({ role, powers }: ReaderFacts): string | null =>
  powers.length === 0
    ? null
    : `Queries run as role ${role}, which ${powers.join(', ')}: transactions that cannot write are all that keeps it from that. Set CATALYST_READER_URL to a role that only reads.`

const LINES = `create role ${READER} login password '<password>';
grant usage on schema public, catalyst to ${READER};
grant select on <tables> to ${READER};`

const shut = (role: string): AppError =>
  new AppError(
    'permission_denied',
    `Refused by rule reader_role: queries would run as ${role}, which is a superuser.`,
    {
      hint: `Let an operator run:\n${LINES}\nThen set CATALYST_READER_URL to that login.`,
    },
  )

const elsewhere = (): AppError =>
  new AppError(
    'permission_denied',
    'Refused by rule reader_role: CATALYST_READER_URL leads to another database than DATABASE_URL.',
    { hint: 'Name the same server and database in both.' },
  )
