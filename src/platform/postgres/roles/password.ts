import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { DirectSession, Login } from '../direct.js'
import { sqlState } from '../errors.js'
import { setPassword } from './roles.sql.js'

/**
 * Gives a role a new password until then, and answers the login with it.
 *
 * @throws what the driver throws where this role may not
 */
export async function newPassword(
  runner: DirectSession,
  user: string,
  until: string,
): Promise<Login> {
  const password = randomBytes(24).toString('base64url')
  await patiently(() => runner.many(setPassword(user, verifierOf(password), until)))
  return { user, password }
}

/** Servers of other databases give the same role a password at the same time. */
async function patiently(change: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await change()
      return
    } catch (error) {
      if (sqlState(error) !== 'XX000' || attempt === 10) throw error
      await delay(Math.random() * 50)
    }
  }
}

/** What PostgreSQL keeps instead of a password, so that the password itself is in no log: RFC 5802. */
function verifierOf(password: string): string {
  const iterations = 4_096
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const mac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest()
  const stored = createHash('sha256').update(mac('Client Key')).digest('base64')
  const served = mac('Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${served}`
}
