import { readFile } from 'node:fs/promises'

import { type MetricName, businessEvents, catalogue, metricsDocument } from '@rookery/telemetry'
import { expect, test } from 'vitest'

import { projectFiles } from './project-files.ts'

const files = projectFiles('.ts').filter(({ path }) =>
  /^(apps|packages)\/[^/]+\/src\/.*(?<!\.test)\.ts$/.test(path),
)

/** Tells whether production code has a name in it, outside of where it is declared. */
function isUsed(name: string, declaredIn: string): boolean {
  return files.some(
    ({ path, text }) => path !== `packages/telemetry/src/${declaredIn}` && text.includes(`'${name}'`),
  )
}

test('docs/metrics.md is what the catalogue says', async () => {
  expect(await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8')).toBe(metricsDocument())
})

test('every metric of the catalogue is emitted', () => {
  const names = Object.keys(catalogue) as MetricName[]
  expect(names.filter((name) => !isUsed(name, 'catalogue.ts'))).toEqual([])
})

test('every business event happens somewhere', () => {
  expect(businessEvents.filter((event) => !isUsed(event, 'business-events.ts'))).toEqual([])
})

test('durations are in seconds, sizes in bytes, and counters end in _total', () => {
  const wrong = Object.entries(catalogue).filter(
    ([name, { type }]) =>
      (type === 'counter') !== name.endsWith('_total') || /_(ms|millis|kb)(_|$)/.test(name),
  )
  expect(wrong).toEqual([])
})
