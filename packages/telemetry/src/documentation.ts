import { type MetricDefinition, catalogue } from './catalogue.ts'

/** Returns docs/metrics.md: every metric with its labels. */
export function metricsDocument(): string {
  const rows = Object.entries<MetricDefinition>(catalogue).map(row)
  return [
    '# Metrics\n',
    'Generated from `packages/telemetry/src/catalogue.ts`; do not edit, run `pnpm gen`.\n',
    'Every process answers `GET /metrics` on its internal port, and carries the label `role`. Durations are in ' +
      'seconds, sizes in bytes. Those of the cluster are told by one process only, the leader of the sequencers. ' +
      'The metrics of Node itself have the prefixes `rookery_process_` and `rookery_nodejs_`. What to make of them: ' +
      '[operations](operations.md#alerts).\n',
    `| metric | type | labels | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`,
  ].join('\n')
}

function row([name, { type, help, labels, isOfCluster }]: [string, MetricDefinition]): string {
  const told = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${values}`)
  return `| \`${name}\` | ${type}${isOfCluster === true ? ', of the cluster' : ''} | ${told.join('<br>') || '-'} | ${help} |`
}
