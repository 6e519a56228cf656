import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { parse } from 'yaml'

const projectDir = resolve(import.meta.dirname, '../..')

/** The file that Prometheus loads. */
const alertFile = join(projectDir, 'helm/rookery/files/alerts/rookery.yaml')

/** One alert, as the file has it. */
export type AlertRule = {
  alert: string
  expr: string
  for?: string
  labels: { severity: string }
  annotations: { summary: string; runbook_url: string }
}

type RuleFile = { groups: { name: string; rules: AlertRule[] }[] }

/** Returns all alerts. */
export function readAlerts(): AlertRule[] {
  return (parse(readFileSync(alertFile, 'utf8')) as RuleFile).groups.flatMap(({ rules }) => rules)
}

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/**
 * Returns the file, as JSON, with every duration divided: how long something must last, and how far back is looked. Everything
 * else stays as it is, thresholds too.
 */
export function scaledAlerts(divisor: number, secondsMin: number): string {
  const scale = (text: string): string => {
    const seconds = Number(text.slice(0, -1)) * (unitSeconds[text.at(-1) ?? ''] ?? NaN)
    return `${Math.max(secondsMin, Math.round(seconds / divisor))}s`
  }
  const file = parse(readFileSync(alertFile, 'utf8')) as RuleFile
  for (const rule of file.groups.flatMap(({ rules }) => rules)) {
    rule.expr = rule.expr.replace(/(?<=\[|offset )\d+[smhd]/g, scale)
    if (rule.for !== undefined) rule.for = scale(rule.for)
  }
  return JSON.stringify(file, undefined, 1)
}
