import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, describe, expect, test } from 'vitest'

const executablePath = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
  .find((path) => existsSync(path))

/** Runs where there is a browser: the check installs one where it may. Elsewhere it is said why not. */
export function describeInBrowser(name: string, body: () => Promise<void>): void {
  if (!executablePath) {
    const why = 'left out: PATH has no Chromium to show the page in'
    describe(name, () => test.skip(why, () => {}))
    return
  }
  describe(name, async () => {
    afterAll(async () => {
      await (await browser)?.close()
      browser = undefined
    })
    await body()
  })
}

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let browser: Promise<Browser> | undefined

/** An open page, with what went wrong in it and where it sent requests to. */
export interface Opened {
  readonly page: Page
  readonly problems: string[]
  readonly requests: string[]
}

/** Opens an empty page in a browser of this test file. */
export async function open(options: BrowserContextOptions = {}): Promise<Opened> {
  browser ??= chromium.launch({ executablePath: executablePath ?? '', args: ARGS })
  const context = await (await browser).newContext({
    viewport: { width: 1280, height: 800 },
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(120_000)
  const problems: string[] = []
  const requests: string[] = []
  page.on('pageerror', ({ message }) => problems.push(message))
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
      problems.push(message.text())
    }
  })
  return { page, problems, requests }
}

/** The page of the server whose MCP endpoint this is, with every part of it read. */
export async function visit(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const opened = await open(options)
  await opened.page.goto(pageOf(url))
  await isRead(opened.page)
  return opened
}

/** Where the page of an endpoint is. */
export const pageOf = (url: string): string => new URL('/', url).href

/** Waits until nothing says that it is still being read. */
export async function isRead(page: Page): Promise<void> {
  await page.locator('[data-answer=up]').waitFor()
  await page.locator('.loading').first().waitFor({ state: 'detached' })
}

/** What the card of a question shows: its answer, its state in words, and its facts. */
export async function card(page: Page, question: string) {
  const one = page.locator('.question', { has: page.locator(`[data-answer=${question}]`) })
  const facts = await one.locator('.facts > div').evaluateAll((rows) =>
    rows.map((row) => {
      const [name, value] = (row as unknown as { children: { textContent: string }[] }).children
      return [name?.textContent, value?.textContent] as const
    }),
  )
  return {
    answer: (await one.locator('.answer').innerText()).trim(),
    state: (await one.locator('.mark').innerText()).trim(),
    facts: Object.fromEntries(facts) as Record<string, string>,
  }
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Nothing is found that WCAG 2.2 AA forbids. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(`${axe.source};0`)
  const found = (await page.evaluate(
    `axe.run(document, ${JSON.stringify({ runOnly: RULES })})`,
  )) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
  }
  const told = found.violations.map(({ id, nodes }) => ({
    id,
    nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`),
  }))
  expect(told).toEqual([])
}
