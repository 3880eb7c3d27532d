import { AppError } from '../../errors.js'

/** What the SDK throws: the code of the server or of the system as `name`, and the status of the answer. */
interface Failure {
  readonly code: string
  readonly status: number | null
}

/** There is no object of that name. */
export const isAbsent = (error: unknown): boolean => {
  const { code, status } = failureOf(error)
  return code === 'NoSuchKey' || (status === 404 && code === 'NotFound')
}

/** The server does not know the command. */
export const isUnknownCommand = (error: unknown): boolean => failureOf(error).status === 501

const CREDENTIALS =
  'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or SPACES_KEY and SPACES_SECRET) to a key of this bucket.'

type Known = readonly [reason: string, hint: string]

const NO_RIGHT: Known = [
  'the access key has no right to this',
  'Allow it to list the bucket, and to read and write its objects.',
]

/** What is wrong where the code says it, and what mends it. */
const KNOWN: Readonly<Record<string, Known>> = {
  NoSuchBucket: [
    'there is no such bucket',
    'Make the bucket, or correct CATALYST_OBJECT_STORE and AWS_ENDPOINT_URL_S3.',
  ],
  InvalidAccessKeyId: ['it does not know the access key', CREDENTIALS],
  SignatureDoesNotMatch: ['the secret does not belong to the access key', CREDENTIALS],
  CredentialsProviderError: ['there are no credentials for it', CREDENTIALS],
  RequestTimeTooSkewed: ['the clock of this machine is wrong', 'Set the clock.'],
  PermanentRedirect: ['the bucket is in another region', 'Correct AWS_REGION.'],
  AuthorizationHeaderMalformed: ['the bucket is in another region', 'Correct AWS_REGION.'],
}

/** A failure of the store in our words; what its server wrote stays in the log. */
export function translated(error: unknown, location: string): AppError {
  if (error instanceof AppError) return error
  const { code, status } = failureOf(error)
  const cannot = `The object store ${location} cannot be used`
  const isDenied = status === 401 || status === 403
  const known = KNOWN[code] ?? (isDenied ? NO_RIGHT : undefined)
  if (known) {
    const [reason, hint] = known
    return new AppError(isDenied ? 'permission_denied' : 'unavailable', `${cannot}: ${reason}.`, {
      hint,
      retryable: false,
      cause: error,
    })
  }
  if (status === 409 || status === 412) {
    return new AppError('conflict', `${cannot}: it refused the request (${code}).`, {
      cause: error,
    })
  }
  const answer = status === null ? `it does not answer (${code})` : `it answered ${status} ${code}`
  return new AppError('unavailable', `${cannot}: ${answer}.`, { cause: error })
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'unknown', status: null }
  const { $metadata, code } = error as { $metadata?: { httpStatusCode?: number }; code?: unknown }
  const name = typeof code === 'string' && error.name === 'Error' ? code : error.name
  return {
    // A server may write what it likes there.
    code: /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) ? name : 'unknown',
    status: $metadata?.httpStatusCode ?? null,
  }
}
