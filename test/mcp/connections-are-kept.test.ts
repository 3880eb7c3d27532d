import { expect, test } from 'vitest'
import { startEndpoint } from '../support/endpoint.js'

const url = await startEndpoint()

test('a client is told that an idle connection is kept for longer than a minute', async () => {
  const response = await fetch(new URL('/healthz', url))
  expect(response.headers.get('keep-alive')).toBe('timeout=75')
})
