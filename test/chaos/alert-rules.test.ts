import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { alertFile, readAlerts } from '../support/alert-rules.ts'

/** Series over time, a value a minute, and when an alert that no fault of a stack brings about fires on them. */
const cases: { alert: string; series: Record<string, string>; quietAt: string; firesAt: string }[] = [
  {
    alert: 'FirehoseBehind',
    series: {
      'rookery_event_position_seconds{at="numbered"}': '1000+60x20',
      'rookery_event_position_seconds{at="ring"}': '1000+60x5 1300x15',
    },
    quietAt: '5m',
    firesAt: '8m',
  },
  {
    alert: 'SequencerBehind',
    series: { rookery_event_queue_oldest_seconds: '0x5 60+60x15' },
    quietAt: '5m',
    firesAt: '8m',
  },
  {
    alert: 'ImportStuck',
    series: { 'rookery_jobs_oldest_seconds{queue="repo-import",state="running"}': '0+60x60' },
    quietAt: '30m',
    firesAt: '33m',
  },
  {
    alert: 'EventLogNotPruned',
    series: { rookery_event_log_overdue_seconds: '0+600x60' },
    quietAt: '12m',
    firesAt: '30m',
  },
  {
    alert: 'TlsChecksFail',
    series: { 'rookery_tls_checks_total{status="503"}': '0x5 1+1x15' },
    quietAt: '5m',
    firesAt: '10m',
  },
  {
    alert: 'MailBounces',
    series: {
      'rookery_events_total{event="mailBounced"}': '0x10 0+2x50',
      'rookery_mail_total{state="sent"}': '0+10x60',
    },
    quietAt: '10m',
    firesAt: '60m',
  },
  {
    alert: 'DatabasePoolExhausted',
    series: { 'rookery_database_connections{pool="rookery-api",state="waiting"}': '0x5 3x15' },
    quietAt: '6m',
    firesAt: '9m',
  },
]

test.each(cases)(
  '$alert fires on what it is for, and not before',
  async ({ alert, series, quietAt, firesAt }) => {
    const directory = await mkdtemp(join(tmpdir(), 'rookery-rules-'))
    await using _directory = {
      [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
    }
    const rule = readAlerts().find((each) => each.alert === alert)!
    const [, pool] = /pool="([^"]+)"/.exec(Object.keys(series).join()) ?? []
    const labels = { ...rule.labels, ...(pool !== undefined && { pool }) }
    const annotations = Object.fromEntries(
      Object.entries(rule.annotations).map(([name, text]) => [
        name,
        text.replace('{{ $labels.pool }}', pool ?? ''),
      ]),
    )
    const expected = [{ exp_labels: labels, exp_annotations: annotations }]
    const file = join(directory, 'test.yaml')
    await writeFile(
      file,
      JSON.stringify({
        rule_files: [alertFile],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
            alert_rule_test: [
              { eval_time: quietAt, alertname: alert, exp_alerts: [] },
              { eval_time: firesAt, alertname: alert, exp_alerts: expected },
            ],
          },
        ],
      }),
    )
    const { stdout } = await promisify(execFile)('promtool', ['test', 'rules', file])
    expect(stdout).toContain('SUCCESS')
  },
)
