import { ProtocolError, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { ERROR_CODES, type ErrorBody } from '../errors.js'

/** A failure to read or watch a resource, as the protocol says it. */
export function toProtocolError(uri: string, error: Omit<ErrorBody, 'reference'>): ProtocolError {
  if (error.code === 'not_found') return new ResourceNotFoundError(uri, error.message)
  const text = error.hint === null ? error.message : `${error.message} ${error.hint}`
  return new ProtocolError(ERROR_CODES[error.code].jsonRpc, text, error)
}
