/**
 * What all files of the browser suite share: one cluster whose two hosts have brands of their own, one Chromium, and
 * the server that apps run on.
 */
import { ensureChromium } from '@rookery/local'
import { Database } from '@rookery/db'
import { must } from '@rookery/std'
import { createLogger } from '@rookery/telemetry'
import { updateTenant } from '@rookery/tenants'
import { chromium } from 'playwright-core'
import { request } from 'undici'
import type { TestProject } from 'vitest/node'

import { type Stack, type StackFile, startStack } from '../stack.ts'
import { until } from '../until.ts'
import { startAppServer } from './app-server.ts'

/** Where tests find what was set up. */
export type BrowserSetup = {
  hosts: BrowserHost[]
  mailUrl: string
  plcUrl: string
  /** Chromium's debugging socket. */
  chromiumUrl: string
  /** Origin that apps run on: a loopback address, as that of an app under development. */
  appUrl: string
}

/** One of the two hosts. */
export type BrowserHost = StackFile['hosts'][number]

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- vitest asks for declaration merging.
  export interface ProvidedContext {
    browserSetup: BrowserSetup
  }
}

/** White can be read on the one, and black on the other. */
const brands = new Map([
  ['demo', { color: '#7a1f2b', css: '122 31 43' }],
  ['second', { color: '#ffd23f', css: '255 210 63' }],
])

/** Vitest's global set-up of the browser suite. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const executablePath = ensureChromium()
  const running = new AsyncDisposableStack()
  try {
    const stack = running.use(await startStack())
    const { hosts, mailUrl, plcUrl } = await brand(stack)
    const browser = await chromium.launchServer({ executablePath, args: ['--no-sandbox'] })
    running.defer(() => browser.close())
    const app = running.use(await startAppServer({ plcUrl }))
    const chromiumUrl = browser.wsEndpoint()
    project.provide('browserSetup', { hosts, mailUrl, plcUrl, chromiumUrl, appUrl: app.url })
  } catch (error) {
    await running.disposeAsync()
    throw error
  }
  return () => running.disposeAsync()
}

/** Gives the tenants their colours; resolves when every process shows them. */
async function brand(stack: Stack): Promise<StackFile> {
  const file = await stack.read()
  await using database = new Database(createLogger('test', 'warn'), {
    url: file.databaseUrl,
    poolMax: 1,
    applicationName: 'rookery-test',
  })
  for (const [tenant, { color }] of brands) {
    await updateTenant(database.kysely, tenant, { settings: { brandColor: color } })
  }
  const pods = file.processes.filter(({ role }) => role === 'api')
  for (const { hostname, tenant } of file.hosts) {
    const { css } = must(brands.get(tenant))
    for (const pod of pods) {
      await until(async () => (await page(must(pod.url), hostname)).includes(`primary: ${css};`), {
        what: `the colour of ${tenant}`,
      })
    }
  }
  return file
}

/** What a process answers who opens a page of one host. */
async function page(processUrl: string, hostname: string): Promise<string> {
  const headers = { host: hostname, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const { body } = await request(`${processUrl}/account`, { headers })
  return body.text()
}
