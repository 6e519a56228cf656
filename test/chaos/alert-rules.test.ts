import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { type AlertRule, alertFile, readAlerts } from '../support/alert-rules.ts'
import { type AlertCase, alertCases, allIsWell } from './alert-cases.ts'

const rules = readAlerts()
const halfMinute = 0.5

test('every alert has a case in which it fires', () => {
  expect(alertCases.map(({ alert }) => alert).sort()).toEqual(rules.map(({ alert }) => alert).sort())
})

test('none fires in a cluster that is well, not in three hours', async () => {
  const hours = Array.from({ length: 3 }, (_, hour) => hour + 1)
  const said = await promtool({
    series: Object.fromEntries(
      Object.entries(allIsWell).map(([name, value]) => [name, `${value}x${(3 * 60) / halfMinute}`]),
    ),
    expectations: hours.flatMap((hour) => rules.map(({ alert }) => ({ at: 60 * hour, alert, fires: [] }))),
  })
  expect(said).toContain('SUCCESS')
}, 120_000)

test.each(alertCases)(
  '$alert fires on what it is for, alone, and not before',
  async (alertCase) => {
    const { alert, quietAt, firesAt, also = [] } = alertCase
    const said = await promtool({
      everyMinutes: alertCase.everyMinutes,
      series: seriesOf(alertCase),
      expectations: [
        { at: quietAt, alert, fires: [] },
        ...rules
          .filter((rule) => !also.includes(rule.alert))
          .map((rule) => ({
            at: firesAt,
            alert: rule.alert,
            fires: rule.alert === alert ? [firing(rule, alertCase)] : [],
          })),
      ],
    })
    expect(said).toContain('SUCCESS')
  },
  120_000,
)

/** Returns all series: those of the fault are what they are when all is well, until it begins. */
function seriesOf({
  fault,
  sinceMinutes,
  firesAt,
  everyMinutes = halfMinute,
}: AlertCase): Record<string, string> {
  const unknown = Object.keys(fault).filter((name) => !(name in allIsWell))
  expect(unknown, 'series that are not in a cluster that is well').toEqual([])
  const before = sinceMinutes / everyMinutes - 1
  const after = (firesAt - sinceMinutes) / everyMinutes
  return Object.fromEntries(
    Object.entries(allIsWell).map(([name, value]) => {
      const faulty = fault[name]
      if (faulty === undefined) return [name, `${value}x${before + after}`]
      const [from = 0, step = 0] = value.split('+').map(Number)
      const begin = faulty.startsWith('+') ? from + step * before : ''
      return [name, `${value}x${before} ${begin}${faulty}x${after}`]
    }),
  )
}

/** Returns the alert as it is sent. */
function firing(rule: AlertRule, { labels = {} }: AlertCase): object {
  const withValues = (text: string): string =>
    text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? `no ${name}`)
  return {
    exp_labels: { ...rule.labels, ...labels },
    exp_annotations: Object.fromEntries(
      Object.entries(rule.annotations).map(([name, text]) => [name, withValues(text)]),
    ),
  }
}

type RuleTest = {
  series: Record<string, string>
  everyMinutes?: number | undefined
  /** Whether, at a minute, an alert fires. */
  expectations: { at: number; alert: string; fires: object[] }[]
}

/** Has promtool run the rules over series, and returns what it says. */
async function promtool({ series, expectations, everyMinutes = halfMinute }: RuleTest): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-rules-'))
  await using _directory = {
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
  const file = join(directory, 'test.yaml')
  await writeFile(
    file,
    JSON.stringify({
      rule_files: [alertFile],
      evaluation_interval: `${60 * everyMinutes}s`,
      tests: [
        {
          interval: `${60 * everyMinutes}s`,
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          alert_rule_test: expectations.map(({ at, alert, fires }) => ({
            eval_time: `${at}m`,
            alertname: alert,
            exp_alerts: fires,
          })),
        },
      ],
    }),
  )
  return (await promisify(execFile)('promtool', ['test', 'rules', file])).stdout
}
