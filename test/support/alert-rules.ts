import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { parse } from 'yaml'

const projectDir = resolve(import.meta.dirname, '../..')

/** The file that Prometheus loads. */
export const alertFile = join(projectDir, 'helm/rookery/files/alerts/rookery.yaml')

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

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Returns the file, as JSON, with every duration divided: how long something must last, and how far back is looked. Everything
 * else stays as it is, thresholds too.
 */
export function scaledAlerts(divisor: number): string {
  const scale = (text: string): string => {
    const ms = Number(text.slice(0, -1)) * (unitMs[text.at(-1) ?? ''] ?? NaN)
    return `${Math.round(ms / divisor)}ms`
  }
  const file = parse(readFileSync(alertFile, 'utf8')) as RuleFile
  for (const rule of file.groups.flatMap(({ rules }) => rules)) {
    rule.expr = rule.expr.replace(/(?<=\[|offset )\d+[smhd]/g, scale)
    if (rule.for !== undefined) rule.for = scale(rule.for)
  }
  return JSON.stringify(file, undefined, 1)
}
