import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { freePort } from '@rookery/local'

import { until } from './until.ts'

/** A Prometheus that scrapes some processes and evaluates rules. */
export type Prometheus = AsyncDisposable & {
  /** Returns the names of the alerts that fire. */
  firing(): Promise<string[]>
  /** Returns how many targets answer. */
  targetsUp(): Promise<number>
}

export type PrometheusOptions = {
  /** Base URLs of internal ports. */
  targets: readonly string[]
  /** Text of a file of rules. */
  rules: string
  /** How often it scrapes and evaluates, in milliseconds. */
  intervalMs: number
}

/** Starts Debian's `prometheus`, with its data in a directory that goes when it is disposed of. */
export async function startPrometheus({
  targets,
  rules,
  intervalMs,
}: PrometheusOptions): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'rookery-prometheus-'))
  const interval = `${intervalMs}ms`
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ['rules.yaml'],
    scrape_configs: [
      { job_name: 'rookery', static_configs: [{ targets: targets.map((url) => new URL(url).host) }] },
    ],
  }
  await writeFile(join(directory, 'rules.yaml'), rules)
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(config))
  const port = await freePort()
  const server = spawn(
    'prometheus',
    ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`],
    { cwd: directory, stdio: 'ignore' },
  )
  const exited = once(server, 'exit')
  const get = async <T>(path: string): Promise<T> =>
    ((await (await fetch(`http://127.0.0.1:${port}${path}`)).json()) as { data: T }).data
  await until(
    () =>
      fetch(`http://127.0.0.1:${port}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
    {
      what: 'Prometheus',
    },
  )
  return {
    firing: async () => {
      const { alerts } = await get<{ alerts: { state: string; labels: { alertname: string } }[] }>(
        '/api/v1/alerts',
      )
      const names = alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
      return [...new Set(names)].sort()
    },
    targetsUp: async () => {
      const { activeTargets } = await get<{ activeTargets: { health: string }[] }>('/api/v1/targets')
      return activeTargets.filter(({ health }) => health === 'up').length
    },
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGTERM')
      await exited
      await rm(directory, { recursive: true, force: true })
    },
  }
}
