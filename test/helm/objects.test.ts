/** What holds for every object of every file of `ci`. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { loadConfig, variables } from '@rookery/config'
import { beforeAll, describe, expect, test } from 'vitest'

import { type Container, type Manifest, type Pod, chartDir, ciFiles, ofKind, podOf, render } from './chart.ts'

const roles = ['api', 'firehose', 'sequencer', 'worker'] as const
type Labelled = { matchLabels: Record<string, string> }
type DeploymentSpec = {
  replicas?: number
  strategy: { rollingUpdate: { maxSurge: number; maxUnavailable: number } }
  selector: Labelled
  template: { metadata: { labels: Record<string, string>; annotations: Record<string, string> }; spec: Pod }
}

const rendered = new Map<string, Manifest[]>()
const of = (file: string) => rendered.get(file) ?? []
const deployment = (file: string, role: string) =>
  ofKind(of(file), 'Deployment').find(({ metadata }) => metadata.name === `rookery-${role}`)
    ?.spec as DeploymentSpec
const podsOf = (file: string) => of(file).flatMap((manifest) => podOf(manifest) ?? [])
const containersOf = (file: string) => podsOf(file).flatMap(({ containers }) => containers)
const selects = (selector: Record<string, string>, labels: Record<string, string>) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value)

beforeAll(() => {
  for (const file of ciFiles) rendered.set(file, render(file))
}, 60_000)

/** The text of each variable that a container gets; of secrets the place they come from. */
function environmentOf(file: string, container: Container): Record<string, string> {
  const maps = (container.envFrom ?? []).map(({ configMapRef }) => configMapRef.name)
  const shared = ofKind(of(file), 'ConfigMap').filter(({ metadata }) => maps.includes(metadata.name))
  expect(shared).toHaveLength(maps.length)
  const own = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const { secretKeyRef } = valueFrom ?? {}
    return [name, value ?? `${secretKeyRef?.name}/${secretKeyRef?.key}`]
  })
  return Object.assign({}, ...shared.map(({ data }) => data), Object.fromEntries(own)) as Record<
    string,
    string
  >
}

/** Secrets become something of the right form. */
function usable(env: Record<string, string>): Record<string, string> {
  const forms: Record<string, string> = {
    ROOKERY_DATABASE_URL: 'postgresql://db/rookery',
    ROOKERY_REDIS_URL: 'redis://redis',
    ROOKERY_MAIL_URL: 'smtp://mail',
    ROOKERY_PLC_ROTATION_KEY: '11'.repeat(32),
    ROOKERY_KEY_ENCRYPTION_KEY: '22'.repeat(32),
  }
  const isSecret = (name: string) =>
    Object.values(variables).some((group) =>
      Object.values(group).some((v) => v.env === name && 'secret' in v),
    )
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      isSecret(name) ? (forms[name] ?? 's'.repeat(32)) : value,
    ]),
  )
}

describe.each(ciFiles)('with %s', (file) => {
  test('names are unique within a kind', () => {
    const names = of(file).map(({ kind, metadata }) => `${kind}/${metadata.name}`)
    expect(new Set(names).size).toBe(names.length)
  })

  test('every object of ours carries the standard labels', () => {
    for (const { kind, metadata } of of(file).filter(({ metadata }) => metadata.name !== 'more')) {
      expect(metadata.labels, `${kind}/${metadata.name}`).toMatchObject({
        'app.kubernetes.io/name': 'rookery',
        'app.kubernetes.io/instance': 'rookery',
        'app.kubernetes.io/managed-by': 'Helm',
      })
    }
  })

  test('every pod runs as nobody, without a token of the cluster, under the default seccomp profile', () => {
    const pods = podsOf(file)
    expect(pods.length).toBeGreaterThanOrEqual(5)
    for (const pod of pods) {
      expect(pod.automountServiceAccountToken).toBe(false)
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      })
    }
  })

  test('every container has no capabilities, a read-only root, requests, and a limit of memory', () => {
    for (const { name, securityContext, resources } of containersOf(file)) {
      expect(securityContext, name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(Object.keys(resources?.requests ?? {}).sort(), name).toEqual(['cpu', 'memory'])
      expect(resources?.limits, name).toHaveProperty('memory')
      // A limit of CPU time would stop a process in the middle of a request.
      expect(resources?.limits, name).not.toHaveProperty('cpu')
    }
  })

  test('everything is one image, never latest', () => {
    const images = new Set(containersOf(file).map(({ image }) => image))
    expect(images.size).toBe(1)
    expect([...images][0]).toMatch(/^registry\.example\.com\/rookery(:\d|@sha256:)/)
  })

  test('every mount has its volume, which is bounded', () => {
    for (const pod of podsOf(file)) {
      const mounted = pod.containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name))
      expect(mounted.sort()).toEqual((pod.volumes ?? []).map(({ name }) => name).sort())
      for (const { emptyDir } of pod.volumes ?? []) expect(emptyDir?.sizeLimit).toMatch(/^\d+[MG]i$/)
    }
  })

  test.each(roles)('%s has every probe, on the internal port; jobs and tests have none', (role) => {
    const [container] = deployment(file, role).template.spec.containers
    expect(container?.startupProbe).toMatchObject({ httpGet: { path: '/livez', port: 'internal' } })
    expect(container?.livenessProbe).toMatchObject({ httpGet: { path: '/livez', port: 'internal' } })
    expect(container?.readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'internal' } })
    const others = of(file).filter(({ kind }) => kind === 'Job' || kind === 'Pod')
    for (const other of others) expect(podOf(other)?.containers[0]?.livenessProbe).toBeUndefined()
  })

  test.each(roles)('%s gets an environment that its process accepts', (role) => {
    const [container] = deployment(file, role).template.spec.containers
    const env = environmentOf(file, container as Container)
    const config = loadConfig([role], usable(env))
    expect(config.blobs.s3Bucket).toBe('rookery-blobs')
    const port = (name: string) => container?.ports?.find((port) => port.name === name)?.containerPort
    expect(port('internal')).toBe(config.http.internalPort)
    expect(port('http')).toBe(role === 'api' || role === 'firehose' ? config.http.port : undefined)
  })

  test.each(roles)('%s gets the secrets that it reads, and no others', (role) => {
    const [container] = deployment(file, role).template.spec.containers
    const given = (container?.env ?? []).flatMap(({ name, valueFrom }) =>
      valueFrom === undefined ? [] : [name],
    )
    const read = Object.values(variables).flatMap((group) =>
      Object.values(group).flatMap(({ env, roles }) => {
        const readers: readonly string[] = roles
        return readers.includes('all') || readers.includes(role) ? [env as string] : []
      }),
    )
    expect(given.filter((name) => !read.includes(name))).toEqual([])
    expect(given).toContain('ROOKERY_DATABASE_URL')
  })

  test.each(roles)('%s is not killed before it has drained', (role) => {
    const { spec } = deployment(file, role).template
    const [container] = spec.containers
    const { http } = loadConfig([role], usable(environmentOf(file, container as Container)))
    // A worker has ten seconds beyond its drain time, the others five; those that serve step back before.
    const stopMsMax = http.stopDelayMs + http.drainMs + 10_000
    expect((spec.terminationGracePeriodSeconds ?? 0) * 1_000).toBeGreaterThan(stopMsMax)
  })

  test.each(roles)('%s is replaced without a gap, and anew when the configuration changes', (role) => {
    const { strategy, template } = deployment(file, role)
    expect(strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 })
    expect(template.metadata.annotations['checksum/config']).toMatch(/^[0-9a-f]{64}$/)
  })

  test('every selector finds its pods, and those alone', () => {
    const labels = (role: string) => deployment(file, role).template.metadata.labels
    for (const role of roles) {
      const { selector } = deployment(file, role)
      expect(roles.filter((other) => selects(selector.matchLabels, labels(other)))).toEqual([role])
    }
    const found = ['PodDisruptionBudget', 'NetworkPolicy'].flatMap((kind) => ofKind(of(file), kind))
    for (const { metadata, spec } of found) {
      const { selector, podSelector } = spec as { selector?: Labelled; podSelector?: Labelled }
      const matched = roles.filter((role) =>
        selects((selector ?? podSelector)?.matchLabels ?? {}, labels(role)),
      )
      expect(matched.map((role) => `rookery-${role}`)).toEqual([metadata.name])
    }
    for (const { metadata, spec } of ofKind(of(file), 'Service')) {
      const { selector, ports } = spec as {
        selector: Record<string, string>
        ports: { targetPort: string }[]
      }
      const [role, ...more] = roles.filter((role) => selects(selector, labels(role)))
      expect(more).toEqual([])
      expect(metadata.name).toMatch(new RegExp(`^rookery-${role}(-internal)?$`))
      const names = deployment(file, role ?? 'api').template.spec.containers[0]?.ports?.map(
        ({ name }) => name,
      )
      for (const { targetPort } of ports) expect(names).toContain(targetPort)
    }
  })

  test('a role of several pods has a disruption budget and is spread', () => {
    const budgets = ofKind(of(file), 'PodDisruptionBudget').map(({ metadata }) => metadata.name)
    for (const role of roles) {
      const { replicas, template } = deployment(file, role)
      if (replicas === 1) continue
      expect(budgets).toContain(`rookery-${role}`)
      expect(template.spec.topologySpreadConstraints).toHaveLength(2)
    }
  })

  test('who scales by itself has no number of replicas', () => {
    const scaled = ofKind(of(file), 'HorizontalPodAutoscaler').map(({ metadata }) => metadata.name)
    for (const role of roles) {
      expect(deployment(file, role).replicas === undefined).toBe(scaled.includes(`rookery-${role}`))
    }
  })

  test('every route sends subscribers to the firehose and the rest to api, at a Service that is there', () => {
    const services = ofKind(of(file), 'Service').map(({ metadata }) => metadata.name)
    for (const routes of routesOf(of(file))) {
      expect(routes).toEqual({
        '/xrpc/com.atproto.sync.subscribeRepos': 'rookery-firehose',
        '/': 'rookery-api',
      })
      for (const service of Object.values(routes)) expect(services).toContain(service)
    }
  })

  test('no object holds a secret', () => {
    expect(ofKind(of(file), 'Secret')).toEqual([])
    const secrets = Object.values(variables).flatMap((group) =>
      Object.values(group).flatMap((variable) => ('secret' in variable ? [variable.env as string] : [])),
    )
    for (const { data } of ofKind(of(file), 'ConfigMap'))
      expect(Object.keys(data ?? {}).filter((name) => secrets.includes(name))).toEqual([])
  })
})

/** Where each path goes, for each hostname of an Ingress and for an HTTPRoute. */
function routesOf(manifests: readonly Manifest[]): Record<string, string>[] {
  type Ingress = { rules: { http: { paths: { path: string; backend: { service: { name: string } } }[] } }[] }
  type Route = { rules: { matches: { path: { value: string } }[]; backendRefs: { name: string }[] }[] }
  const ingresses = ofKind(manifests, 'Ingress').flatMap(({ spec }) =>
    (spec as Ingress).rules.map(({ http }) =>
      Object.fromEntries(http.paths.map(({ path, backend }) => [path, backend.service.name])),
    ),
  )
  const routes = ofKind(manifests, 'HTTPRoute').map(({ spec }) =>
    Object.fromEntries(
      (spec as Route).rules.map(({ matches, backendRefs }) => [
        matches[0]?.path.value ?? '',
        backendRefs[0]?.name ?? '',
      ]),
    ),
  )
  return [...ingresses, ...routes]
}

describe('what a file of ci is for', () => {
  test('an Ingress for every hostname, an HTTPRoute for all of them', () => {
    expect(routesOf(of('full-values.yaml'))).toHaveLength(2)
    expect(routesOf(of('gateway-values.yaml'))).toHaveLength(1)
    expect(routesOf(of('minimal-values.yaml'))).toHaveLength(0)
  })

  test('network policies are on unless switched off', () => {
    const policies = (file: string) => ofKind(of(file), 'NetworkPolicy').length
    expect(policies('minimal-values.yaml')).toBe(roles.length)
    expect(policies('bare-values.yaml')).toBe(0)
  })

  test('every alert and every dashboard is in the cluster', () => {
    const full = of('full-values.yaml')
    type Rule = { alert: string; expr: string; annotations: Record<string, string> }
    type Rules = { groups: { rules: Rule[] }[] }
    const groups = ofKind(full, 'PrometheusRule').flatMap(({ spec }) => (spec as Rules).groups)
    const alerts =
      readFileSync(join(chartDir, 'files/alerts/rookery.yaml'), 'utf8').match(/- alert: \w+/g) ?? []
    expect(groups.flatMap(({ rules }) => rules.map(({ alert }) => `- alert: ${alert}`))).toEqual(alerts)
    for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
      const { pathname, hash } = new URL(annotations['runbook_url']!)
      expect([pathname.split('/').at(-1), hash]).toEqual(['operations.md', `#${alert.toLowerCase()}`])
      expect(annotations['summary']).toMatch(/\w/)
      expect(annotations['description']).toMatch(/^Means: /)
    }
    const dashboards = ofKind(full, 'ConfigMap').flatMap(({ metadata, data }) =>
      metadata.labels?.['grafana_dashboard'] === '1' ? Object.entries(data ?? {}) : [],
    )
    const files = readdirSync(join(chartDir, 'files/dashboards')).sort()
    expect(dashboards.map(([name]) => name).sort()).toEqual(files.map((file) => `rookery-${file}`))
    for (const [name, text] of dashboards) {
      const file = join(chartDir, 'files/dashboards', name.replace('rookery-', ''))
      expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(file, 'utf8')))
    }
  })

  test('a ServiceMonitor finds the internal port of every role, once', () => {
    const gateway = of('gateway-values.yaml')
    type Monitor = { selector: Labelled; endpoints: { port: string }[] }
    const { selector, endpoints } = ofKind(gateway, 'ServiceMonitor')[0]!.spec as Monitor
    type Service = { selector: Record<string, string>; ports: { name: string; targetPort: string }[] }
    const pods = ofKind(gateway, 'Service')
      .filter(({ metadata }) => selects(selector.matchLabels, metadata.labels ?? {}))
      .map(({ spec }) => spec as Service)
      .filter(({ ports }) => ports.some(({ name }) => name === endpoints[0]?.port))
    expect(new Set(pods.map((service) => service.selector['app.kubernetes.io/component']))).toEqual(
      new Set(roles),
    )
    expect(pods.flatMap(({ ports }) => ports.map(({ targetPort }) => targetPort))).toEqual(
      roles.map(() => 'internal'),
    )
  })

  test('the migration goes first and knows the database alone', () => {
    const [job] = ofKind(of('full-values.yaml'), 'Job')
    expect(job?.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade')
    const [container] = (job && podOf(job))?.containers ?? []
    const env = environmentOf('full-values.yaml', container as Container)
    expect(env).toEqual({
      ROOKERY_DATABASE_URL: 'rookery-db-app/uri',
      ROOKERY_REDIS_URL: 'rookery/ROOKERY_REDIS_URL',
    })
    expect(() => loadConfig([], usable(env))).not.toThrow()
  })

  test('a changed setting changes the checksum of every pod', () => {
    const sums = (manifests: Manifest[]) =>
      ofKind(manifests, 'Deployment').map(
        ({ spec }) => (spec as DeploymentSpec).template.metadata.annotations['checksum/config'],
      )
    const changed = render('minimal-values.yaml', 'config.ROOKERY_LOG_LEVEL="warn"')
    expect(new Set([...sums(of('minimal-values.yaml')), ...sums(changed)]).size).toBe(2)
  })
})
