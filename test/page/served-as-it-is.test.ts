import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { startEndpoint } from '../support/endpoint.js'
import { describeInBrowser, isRead, pageOf, visit } from './support.js'

const FILES = ['/', '/page/main.js', '/page/page.css', '/page/icon.svg']
const LIMIT = 60 * 1024

const bare = pageOf(await startEndpoint())

test('all of it is at most 60 kB compressed', async () => {
  const sizes = await Promise.all(
    FILES.map(async (path) => {
      const response = await fetch(new URL(path, bare))
      expect(response.status).toBe(200)
      expect(response.headers.get('content-encoding')).toBe('gzip')
      return gzipSync(Buffer.from(await response.arrayBuffer()), { level: 9 }).length
    }),
  )
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(LIMIT)
})

test('its policy lets nothing run that is not a file of this server', async () => {
  const { headers } = await fetch(bare)
  const policy = headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).toContain("style-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|data:|https?:|\*/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
})

test('what has not changed is not sent again; what it is not, it does not serve', async () => {
  const { headers } = await fetch(bare)
  const again = await fetch(bare, { headers: { 'if-none-match': headers.get('etag') ?? '' } })
  expect(again.status).toBe(304)
  expect((await fetch(bare, { method: 'POST' })).status).toBe(405)
  for (const path of [
    '/page/../package.json',
    '/page/main.js.LEGAL.txt',
    '/page/',
    '/index.html',
  ]) {
    expect((await fetch(new URL(path, bare))).status).toBe(404)
  }
})

describeInBrowser('in a browser', async () => {
  const { url } = await startApp()

  test('no request leaves the host, and nothing breaks the policy', async () => {
    const { page, requests, problems } = await visit(url)
    await isRead(page)
    const { host } = new URL(url)
    expect(requests.filter((sent) => new URL(sent).host !== host)).toEqual([])
    expect(requests.filter((sent) => sent.endsWith('/mcp')).length).toBeGreaterThan(10)
    expect(problems).toEqual([])
  })

  test('the eight questions are answered without scrolling at 1280 × 800', async () => {
    const { page } = await visit(url)
    const cards = page.locator('.question')
    expect(await cards.count()).toBe(8)
    for (const box of await Promise.all((await cards.all()).map((one) => one.boundingBox()))) {
      expect((box?.y ?? 0) + (box?.height ?? Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(800)
    }
    const checks = await page.locator('#checks .passed li').last().boundingBox()
    expect(checks?.y).toBeLessThan(800)
  })

  test.each([320, 360, 1280, 2560])('nothing is wider than the window at %i px', async (width) => {
    const { page } = await visit(url, { viewport: { width, height: 800 } })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
  })
})
