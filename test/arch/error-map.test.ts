import { readFile } from 'node:fs/promises'
import { glob } from 'node:fs/promises'

import { errorMap } from '@rookery/http'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url).pathname

/** Codes of the errors that never reach an XRPC caller: command-line tools, start-up and the log print them. */
const neverAnswered = new Set(['InvalidConfig', 'LeadershipLost', 'ClockBehind', 'FutureCursor'])

async function codesOfSource(): Promise<Map<string, string>> {
  const codes = new Map<string, string>()
  for await (const file of glob('{packages,apps}/*/src/**/*.ts', {
    cwd: root,
    exclude: (name) => name === 'node_modules',
  })) {
    if (file.endsWith('.test.ts')) continue
    const source = await readFile(root + file, 'utf8')
    for (const [, code] of source.matchAll(/^  readonly code = '(\w+)'/gm)) codes.set(code!, file)
  }
  return codes
}

// SPEC XR-3
test('every domain error has its line in the error map, and every line its error', async () => {
  const codes = await codesOfSource()
  expect(codes.size).toBeGreaterThan(5)
  const unmapped = [...codes].filter(([code]) => !(code in errorMap) && !neverAnswered.has(code))
  expect(unmapped, 'add these to packages/http/src/error-map.ts').toEqual([])
  const unused = Object.keys(errorMap).filter((code) => !codes.has(code))
  expect(unused, 'remove these from packages/http/src/error-map.ts').toEqual([])
})
