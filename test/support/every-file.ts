import { afterAll, expect } from 'vitest'
import { endFile } from './end-of-file.js'

const { setTimeout: realTimeout } = globalThis

// One process runs many files: what one of them leaves behind, the next would stumble over.
afterAll(async () => {
  expect(globalThis.setTimeout).toBe(realTimeout)
  await endFile()
})
